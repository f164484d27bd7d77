package main

func Example() {
	main()
	// Output:
	// Riga 2: L'oggetto ha 4 caratteri: devono essere da 10 a 120.
	// Inviato 1 di 1
	// Riga 2: L'oggetto ha 4 caratteri: devono essere da 10 a 120.
	// Queste righe sono già state importate.
	// Inviato 1 di 1
	// Messaggi consegnati: 1
}
