package noticeexcel_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
)

func TestMappedFileIsRead(t *testing.T) {
	file := []byte("Iscritto;Euro\n" + person(1).Reveal() + ";12,50\n")
	found := must.Get(template(t).FileHeaders(t.Context(), bytes.NewReader(file), int64(len(file))))(t)
	assert.Len(t, found.Headers, 2)
	tpl := must.Get(template(t).WithMapping(excel.Mapping{"Iscritto": "Codice fiscale debitore", "Euro": "Importo"}))(t)
	var rows []pagoinrete.NoticeRow
	for row, err := range tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), nil) {
		require.NoError(t, err)
		rows = append(rows, row)
	}
	require.Len(t, rows, 1)
	assert.Equal(t, person(1), rows[0].Draft.Debtor)
	_, err := template(t).WithMapping(excel.Mapping{"UUID": "Importo"})
	require.ErrorIs(t, err, excel.ErrMapping)
}

// The colours of an export's rows: refused, with a discrepancy, cancelled.
func TestRowsOfAnExportAreColoured(t *testing.T) {
	refused, doubtful, cancelled := whole(t), whole(t), whole(t)
	refused.Error = "Rifiutata."
	doubtful.Error, doubtful.Discrepancy.Resolved = "", false
	cancelled.State = pagoinrete.NoticeCancelled
	require.NotEmpty(t, doubtful.Discrepancy.Italian())
	f, _ := exceltest.Open(t, export(t, exceltest.Given(refused, doubtful, cancelled)))
	for i, want := range []string{"FBDAD7", "FFF2CC", "E9E9E9"} {
		style := must.Get(f.GetStyle(must.Get(f.GetCellStyle("Avvisi", exceltest.Ref("B", i+2)))(t)))(t)
		assert.Equal(t, want, strings.Join(style.Fill.Color, ""), i)
	}
}
