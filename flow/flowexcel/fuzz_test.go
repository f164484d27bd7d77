package flowexcel_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
)

// Whatever a file is: rows that are right pass the flow, what is wrong has a number or
// ends the file, and the report counts as the sequence does.
func FuzzRows(f *testing.F) {
	f.Add(blankFilled(f, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text, "D2": "16/06/2099", "E2": 12.5, "F2": "301005100001400678"}))
	f.Add([]byte("CF;Oggetto;Testo;Scadenza;Importo;NAV;CF ente;Paga dopo la scadenza;Rif.\n" + code + ";Scadenza della TARI;" + text + ";16/06/2099;12,50;301005100001400678;80185250588;X;R\n"))
	f.Add([]byte("Codice fiscale\tOggetto\tContenuto\n" + code + "\tScadenza della TARI\t" + text + "\n" + code + "\tcorto\t" + text + "\n"))
	f.Add([]byte("CF,Oggetto,Testo,IUV\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tpl, err := flowexcel.New(flowexcel.Config{File: excel.Limits{FileBytes: 1 << 20, UnpackedBytes: 2 << 20, TextBytes: 1 << 20, Rows: 1000, Errors: 10}})
		require.NoError(t, err)
		var report excel.Report
		var over error
		good, wrong, last := 0, 0, 0
		for row, err := range tpl.Rows(t.Context(), bytes.NewReader(data), int64(len(data)), &report) {
			require.NoError(t, over, "a row behind the end")
			var bad *excel.RowError
			switch {
			case err == nil:
				require.NoError(t, row.Draft.Validate(flow.GuideLimits()))
				good++
			case errors.As(err, &bad):
				require.Equal(t, bad.Row, row.Number)
				wrong++
			default:
				var file *excel.FileError
				require.ErrorAs(t, err, &file)
				over = err
			}
			if over == nil {
				require.Greater(t, row.Number, last)
				last = row.Number
			} else {
				require.Zero(t, row.Number)
			}
		}
		require.Equal(t, over == nil, report.Complete)
		require.Equal(t, []int{good, wrong}, []int{report.Rows, report.Invalid})
	})
}

// Whatever a file with corrections says: what is not in Errore, and what may have
// arrived, stays as it is; and once more changes nothing.
func FuzzCorrect(f *testing.F) {
	states := []func(*flow.Notification){nil, sent, failed(flow.CodeRefused), failed(flow.CodeOutcomeUnknown), failed(flow.CodeNotSent)}
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
	_, rows := open(f, w.export(f))
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
