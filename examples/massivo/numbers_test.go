package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/examples/internal/cli"
)

// A number that no machine can serve is refused in words, before anything begins.
func TestNumericFlagsHaveLimits(t *testing.T) {
	o := newOffice(t)
	id := o.imported(t, 1)
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"send", id, "--workers", "1000000000"}, "--workers deve essere un numero da 1 a 10.000."},
		{[]string{"send", id, "--workers", "0"}, "--workers deve essere un numero da 1 a 10.000."},
		{[]string{"send", id, "--lease", "1000000h"}, "--lease deve essere da 1s a 24h."},
		{[]string{"serve", "--workers", "10001"}, "--workers deve essere un numero da 1 a 10.000."},
		{[]string{"list", "--limit", "1000000000"}, "--limit deve essere da 1 a 1.000."},
		{[]string{"preview", "x.csv", "--row", "1000000000"}, "--row: indicare il numero di una riga, fino a 1.048.576."},
		{[]string{"send", id, "--workers", "99999999999999999999"}, "Il valore dell'opzione --workers non è valido"},
	} {
		code, said := o.run(test.args...)
		assert.Equal(t, cli.Usage, code, test.args)
		assert.Contains(t, said, test.says)
	}
	for _, calls := range []int{-1, 0, maxCalls + 1} {
		_, err := (&program{settings: settings{key: "chiave", calls: calls}}).client(t.Context(), nil)
		assert.EqualError(t, err, "--calls deve essere un numero da 1 a 100.000.000.")
	}
}
