// Package paymentfile reads the files in which schools and towns hold what was paid.
package paymentfile
