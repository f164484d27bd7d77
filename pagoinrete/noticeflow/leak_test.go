package noticeflow_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/noticeflow"
)

// Neither errors and reports nor messages hold a name or a code; a message's text holds no
// code at all.
func TestNothingPersonalIsInErrorsReportsAndTexts(t *testing.T) {
	w := newWorld(t, nil)
	w.seed(t, 1, func(n *pagoinrete.Notice) { n.Payer = flussi.FiscalCode{} })
	w.seed(t, 2, func(n *pagoinrete.Notice) { n.Discrepancy.Kind = pagoinrete.DiscrepancyPaidTwice })
	w.seed(t, 3, func(n *pagoinrete.Notice) { n.Number = flussi.NoticeNumber{} })
	w.seed(t, 4, nil)
	secrets := []string{"segreti", "sara", "80a01h501x", strings.ToLower(notice(4).Reveal())}
	nothing := func(values ...any) {
		t.Helper()
		leaktest.Check(t, secrets, values...)
	}
	m := w.messages(t, noticeflow.Config{})
	_, report, err := w.importAll(t, m, flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	require.Equal(t, 3, report.Added.Invalid)
	nothing(err, report, &report)
	for _, e := range report.Added.Errors {
		nothing(e)
	}
	f, report, err := w.importAll(t, m, flow.AddConfig{SkipInvalid: true})
	require.NoError(t, err)
	nothing(report, &report, f)
	_, report, err = w.importAll(t, w.messages(t, noticeflow.Config{Occasion: "sollecito"}), flow.AddConfig{SkipInvalid: true})
	require.NoError(t, err)
	require.Equal(t, 1, report.Added.Added)
	nothing(report, &report)

	for _, n := range w.notifications(t, f.ID) {
		text := strings.ToLower(n.Subject.Reveal() + n.Content.Reveal() + n.Reference)
		for _, secret := range secrets {
			assert.NotContains(t, text, secret)
		}
	}
	rows := must.Get(m.Rows(t.Context(), assistant, w.event.ID, messageService, nil))(t)
	for row, err := range rows {
		nothing(row, err)
	}
}
