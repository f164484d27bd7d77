package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBlankAndCheck(t *testing.T) {
	dir := t.TempDir()
	blank, filled, marked := filepath.Join(dir, "modello.xlsx"), filepath.Join(dir, "contributi.csv"), filepath.Join(dir, "corretto.xlsx")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"blank", blank}, &out))
	require.NoError(t, run(t.Context(), []string{"check", blank, marked}, &out))
	assert.Contains(t, out.String(), "Righe senza errori: 0. Righe con errori: 0.")

	csv := "C.F.;Causale;Somma;Scadenza\nMSCMHL68P18H211K;Visita a Siena;12,50;31/12/2099\nMSCMHL68P18H211K;Visita a Siena;1.234;31/12/2099\n"
	require.NoError(t, os.WriteFile(filled, []byte(csv), 0o600))
	out.Reset()
	require.ErrorContains(t, run(t.Context(), []string{"check", filled, marked}, &out), "corretto.xlsx")
	must.Contain(t, out.String(), "Riga 3, colonna C (Importo): L'importo si può leggere in due modi", "Totale delle righe corrette: 12,50 €")
	assert.True(t, strings.HasPrefix(string(must.Get(os.ReadFile(marked))(t)), "PK"))

	require.NoError(t, os.WriteFile(filled, []byte("%PDF-1.7"), 0o600))
	require.ErrorContains(t, run(t.Context(), []string{"check", filled, marked}, &out), "nessuna riga")
	assert.Contains(t, out.String(), "PDF")
	require.ErrorIs(t, run(t.Context(), nil, &out), errUsage)
	require.Error(t, run(t.Context(), []string{"check", filepath.Join(dir, "none"), marked}, &out))
}
