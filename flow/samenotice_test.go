package flow_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/sampletest"
)

// payment returns a draft for the nth citizen with the number of a notice.
func payment(n, notice int) flow.Draft {
	d := draft(n)
	d.Subject = flussi.NewText(fmt.Sprint("Avviso di pagamento ", notice))
	d.IsPayment, d.Amount, d.NoticeNumber = true, 1200, sampletest.NoticeNumber(notice)
	return d
}

// warnings returns what a report warns of, by row.
func warnings(report flow.AddReport) (all []string) {
	for _, w := range report.Warnings {
		all = append(all, fmt.Sprintf("%d: %s", w.Row, flussi.Explain(w.Err)))
	}
	return all
}

func TestANoticeNumberForTwoCitizensIsADoubt(t *testing.T) {
	w := newWorld(t)
	reminder := payment(1, 1)
	reminder.Occasion = "sollecito"
	rows := []flow.Draft{payment(1, 1), payment(2, 2), reminder, payment(3, 1), payment(4, 4), payment(5, 4), draft(6), draft(7), payment(8, 1)}
	first := w.created(t)
	report := w.add(t, first.ID, rows...)
	assert.Equal(t, len(rows), report.Added, "each row is stored: an office may mean it")
	assert.Equal(t, []string{
		"4: Lo stesso numero avviso è alla riga 1, per un altro cittadino: verificare chi deve pagare.",
		"6: Lo stesso numero avviso è alla riga 5, per un altro cittadino: verificare chi deve pagare.",
		"9: Lo stesso numero avviso è alla riga 1, per un altro cittadino: verificare chi deve pagare.",
	}, warnings(report))
	assert.Equal(t, 3, report.WarningCount)
	for _, warning := range report.Warnings {
		require.ErrorIs(t, warning, flussi.ErrDuplicate)
		assert.Equal(t, "NoticeNumber", must.As[*flussi.InvalidError](t, warning).Fields[0].Type)
	}

	again := must.Get(w.AddNotifications(t.Context(), operator, first.ID, flow.DraftRows(rows...), flow.AddConfig{MaxErrors: 2}))(t)
	assert.False(t, again.ImportedAt.IsZero())
	assert.Equal(t, []int{4, 6}, []int{again.Warnings[0].Row, again.Warnings[1].Row})
	assert.Equal(t, 3, again.WarningCount)
}

func TestANoticeNumberThatTheFlowHasForAnotherCitizenIsADoubt(t *testing.T) {
	for name, rows := range map[string]int{"looked up one by one": 2, "found by reading the flow": 150} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			f := w.created(t)
			require.Zero(t, w.add(t, f.ID, payment(1, 1), payment(2, 2)).WarningCount)
			earlier := w.notifications(t, f.ID)[1]

			more := many(rows, func(i int) flow.Draft { return payment(1000+i, 1000+i) })
			more = append(more, payment(3, 2))
			same := payment(1, 1)
			same.Occasion = "sollecito"
			report := w.add(t, f.ID, append(more, same)...)
			assert.Equal(t, []string{fmt.Sprintf(
				"%d: Lo stesso numero avviso è nel flusso, nella notifica %s del %s, nello stato «Registrato», per un altro cittadino: verificare chi deve pagare.",
				rows+1, earlier.ID, italian.Day(earlier.CreatedAt),
			)}, warnings(report))
			other := w.created(t)
			assert.Zero(t, w.add(t, other.ID, payment(9, 2)).WarningCount, "the same number in another flow is not looked for")
		})
	}
}
