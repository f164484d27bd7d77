package main

func Example() {
	main()
	// Output:
	// FiscalCode(***) tolti 3 spazi <nil>
	// Inattivo [import activate edit] <nil>
}
