package flow_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/storetest"
)

// A row in which one field was corrected is another row: otherwise an import of the corrected file
// would be taken for the earlier one, and the correction would be lost.
func TestEveryFieldOfADraftMakesAnotherImport(t *testing.T) {
	full := draft(1)
	full.Amount, full.IsPayment, full.NoticeNumber, full.Payee = 10_00, true, must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t), must.Get(flussi.ParseOrganizationCode("80185250588"))(t)
	full.DueDate, full.Reference, full.Occasion = time.Date(2027, time.June, 16, 12, 0, 0, 0, time.UTC), "RIF/1", "sollecito"
	other := draft(2)
	other.Subject, other.Content = flussi.NewText("Un altro oggetto del messaggio"), flussi.NewText(full.Content.Reveal()+" Altro.")
	other.Amount, other.PayableAfterDue, other.NoticeNumber, other.Payee = 11_00, true, must.Get(flussi.ParseNoticeNumber("301005100001400779"))(t), must.Get(flussi.ParseOrganizationCode("15376371009"))(t)
	other.DueDate, other.Reference, other.Occasion = full.DueDate.AddDate(0, 1, 0), "RIF/2", "secondo sollecito"

	full.Options, other.Options = someOptions(t), otherOptions(t)

	for i, field := range storetest.Fields(&other) {
		if field.Name == "IsPayment" {
			continue // it does not change alone: a payment has an amount
		}
		t.Run(field.Name, func(t *testing.T) {
			corrected := full
			reflect.ValueOf(storetest.Fields(&corrected)[i].Pointer).Elem().Set(reflect.ValueOf(field.Pointer).Elem())
			assert.NotEqual(t, full, corrected, "the test gives the field no other value")
			w := newWorld(t)
			for _, d := range []flow.Draft{full, corrected} {
				_, report, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, flow.DraftRows(d), flow.AddConfig{})
				assert.NoError(t, err)
				assert.Zero(t, report.ImportedAt)
			}
			_, report, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, flow.DraftRows(full), flow.AddConfig{})
			assert.NoError(t, err)
			assert.NotZero(t, report.ImportedAt, "the same row is the same import")
		})
	}
}
