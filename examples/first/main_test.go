package main

func Example() {
	main()
	// Output:
	// FiscalCode(***) tolti 3 spazi
	// Inviato 1 di 1
}
