package flowexcel_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
)

// Whatever a file is: rows that are right pass the flow, what is wrong has a number or
// ends the file, and the report counts as the sequence does.
func FuzzRows(f *testing.F) {
	f.Add(imports(f).Fill(f, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text, "D2": "16/06/2099", "E2": 12.5, "F2": "301005100001400678"}))
	f.Add([]byte("CF;Oggetto;Testo;Scadenza;Importo;NAV;CF ente;Paga dopo la scadenza;Rif.\n" + code + ";Scadenza della TARI;" + text + ";16/06/2099;12,50;301005100001400678;80185250588;X;R\n"))
	f.Add([]byte("Codice fiscale\tOggetto\tContenuto\n" + code + "\tScadenza della TARI\t" + text + "\n" + code + "\tcorto\t" + text + "\n"))
	f.Add([]byte("CF,Oggetto,Testo,IUV\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tpl := must.Get(flowexcel.New(flowexcel.Config{File: excel.Limits{FileBytes: 1 << 20, UnpackedBytes: 2 << 20, TextBytes: 1 << 20, Rows: 1000, Errors: 10}}))(t)
		importsOf(tpl).CheckSequence(t, data, func(r flow.Row) error { return r.Draft.Validate(flow.GuideLimits()) })
	})
}

// Whatever a file with corrections says: what is not in Errore, and what may have
// arrived, stays as it is; and once more changes nothing.
func FuzzCorrect(f *testing.F) {
	states := []func(*flow.Notification){nil, sent, refused, failed(flow.CodeOutcomeUnknown), failed(flow.CodeNotSent)}
	seeded := func(t testing.TB) (*world, []flow.Notification) {
		w := newWorld(t)
		var all []flow.Notification
		for i, state := range states {
			all = append(all, w.seed(t, i, func(n *flow.Notification) {
				n.ID = uuid.MustParse(fmt.Sprintf("01953b7e-5c4a-7d1e-9f60-8a2b3c4d5e%02d", i))
				if state != nil {
					state(n)
				}
			}))
		}
		return w, all
	}
	w, _ := seeded(f)
	_, rows := exceltest.Open(f, w.export(f))
	rows = rows[:len(rows)-1]
	asCSV := func() []byte {
		var b bytes.Buffer
		writer := csv.NewWriter(&b)
		writer.Comma = ';'
		require.NoError(f, writer.WriteAll(rows))
		return b.Bytes()
	}
	f.Add(asCSV())
	for row := range rows[1:] {
		rows[row+1][1] = corrected
	}
	f.Add(asCSV())
	for row := range rows[1:] {
		rows[row+1][10] = "Registrato"
	}
	f.Add(asCSV())
	f.Fuzz(func(t *testing.T, data []byte) {
		w, all := seeded(t)
		c := flowexcel.CorrectConfig{SkipInvalid: len(data)%2 == 0, Unchanged: len(data)%3 == 0}
		report, err := w.correct(t, data, c)
		done := 0
		for i, n := range all {
			after := w.get(t, n.ID)
			if n.State != flow.NotificationFailed || n.Transmission.ErrorCode == flow.CodeOutcomeUnknown {
				require.Equal(t, n, after, "the notification %d", i)
			}
			if after.State != n.State {
				done++
			}
		}
		require.Equal(t, report.Corrected+report.SetBack, done)
		if !c.SkipInvalid && err != nil {
			require.Zero(t, done)
		}
		again, _ := w.correct(t, data, c)
		require.Zero(t, again.Corrected+again.SetBack)
	})
}
