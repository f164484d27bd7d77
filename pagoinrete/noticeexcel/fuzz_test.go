package noticeexcel_test

import (
	"testing"

	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/noticeexcel"
)

// Whatever a file is: rows that are right are taken by an event that fits them, what is
// wrong has a number or ends the file, and the report counts as the sequence does.
func FuzzRows(f *testing.F) {
	f.Add(imports(f).Fill(f, map[string]any{"A2": pupil, "B2": "Moschini Michele", "D2": guardian, "E2": 1, "F2": 12.5, "G2": 0.5, "H2": "16/06/2099", "I2": "R"}))
	f.Add([]byte("CF alunno;Alunno;Tipo;CF genitore;N. rata;Quota;Sconto;Scade il;Rif.\n" + pupil + ";Moschini Michele;alunno;" + guardian + ";1;12,50;0,50;16/06/2099;R\n" + guardian + ";;personale;;;;;;\n"))
	f.Add([]byte("Codice fiscale\tImporto\n" + pupil + "\t12,50\n" + pupil + "\t1.234\n"))
	f.Add([]byte("CF,IUV\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tpl := must.Get(noticeexcel.New(noticeexcel.Config{File: excel.Limits{FileBytes: 1 << 20, UnpackedBytes: 2 << 20, TextBytes: 1 << 20, Rows: 1000, Errors: 10}}))(t)
		importsOf(tpl).CheckSequence(t, data, func(r pagoinrete.NoticeRow) error { return fitting(r.Draft) })
	})
}

// fitting judges a draft as an event with its instalment, amount and due date would.
func fitting(d pagoinrete.NoticeDraft) error {
	e := sampletest.Fee()
	data := pagoinrete.NoticeData{Debtor: d.Debtor, DebtorKind: d.DebtorKind, DebtorName: d.DebtorName, Payer: d.Payer,
		Amount: d.Amount, Discount: d.Discount, DueDate: d.DueDate, Reference: d.Reference}
	if data.Amount == 0 {
		data.Amount = d.Discount + 1
	}
	if data.DueDate.IsZero() {
		data.DueDate = e.Instalments[0].DueDate
	}
	return data.Validate()
}
