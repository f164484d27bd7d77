package flow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

func TestLengthsOfTexts(t *testing.T) {
	guide, platform := newWorld(t), newWorld(t, worldConfig{service: flow.ServiceConfig{Limits: flow.PlatformLimits()}})
	x := func(n int) string { return strings.Repeat("x", n) }
	emoji := func(n int) string { return strings.Repeat("😀", n/2) + strings.Repeat("è", n%2) }
	for _, letters := range []func(int) string{x, emoji} {
		for _, test := range []struct {
			subject, content string
			guide, platform  bool // taken
		}{
			{letters(9), x(200), false, false},
			{letters(10), x(200), true, true},
			{letters(120), x(200), true, true},
			{letters(121), x(200), false, false},
			{x(20), letters(79), false, false},
			{x(20), letters(80), false, true},
			{x(20), letters(119), false, true},
			{x(20), letters(120), true, true},
			{x(20), letters(10_000), true, true},
			{x(20), letters(10_001), false, false},
		} {
			d := flow.Draft{Recipient: citizen(1), Subject: flussi.NewText(test.subject), Content: flussi.NewText(test.content)}
			for w, taken := range map[*world]bool{guide: test.guide, platform: test.platform} {
				name := fmt.Sprintf("%d and %d units, %v", d.Subject.Length(), d.Content.Length(), taken)
				f := w.created(t)
				report, err := w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(d), flow.AddConfig{})
				if taken {
					require.NoError(t, err, name)
					continue
				}
				require.ErrorIs(t, err, flussi.ErrRows, name)
				var invalid *flussi.InvalidError
				require.ErrorAs(t, report.Errors[0], &invalid)
				require.Len(t, invalid.Fields, 1, name)
				assert.ErrorIs(t, invalid, flussi.ErrLength)
				w.refused(t, flussi.ErrLength, func() error {
					return must.Err(w.SendNewNotification(t.Context(), operator, taxes, d, flow.SendNewConfig{}))
				})
			}
		}
	}
}

// A subject of blanks around one letter is none. The maximum counts all that is sent.
func TestBlanksAtTheEndsDoNotCountForTheLeastLength(t *testing.T) {
	for _, test := range []struct {
		subject, content, reason string
	}{
		{"     a    ", strings.Repeat("x", 120), "L'oggetto ha 1 carattere (senza gli spazi iniziali e finali): devono essere da 10 a 120."},
		{"\u200b\u00a0a\u2003\u200b\u200b\u200b\u200b\u200b\u200b\u200b", strings.Repeat("x", 120), "L'oggetto ha 1 carattere (senza gli spazi iniziali e finali): devono essere da 10 a 120."},
		{strings.Repeat("x", 120) + " ", strings.Repeat("x", 120), "L'oggetto ha 121 caratteri: devono essere da 10 a 120."},
		{"Avviso TARI", "\n" + strings.Repeat("x", 119), "Il contenuto ha 119 caratteri (senza gli spazi iniziali e finali): devono essere da 120 a 10.000."},
		{strings.Repeat("\u200b", 12), strings.Repeat("x", 120), "Manca l'oggetto."},
		{"  Avviso di rata  ", strings.Repeat("x", 120) + "\n", ""},
	} {
		d := flow.Draft{Recipient: citizen(1), Subject: flussi.NewText(test.subject), Content: flussi.NewText(test.content)}
		err := d.Validate(flow.GuideLimits())
		if test.reason == "" {
			assert.NoError(t, err)
			continue
		}
		require.Error(t, err, "%q", test.subject)
		assert.Equal(t, test.reason, flussi.Explain(err))
	}
}

func TestADueDateThatIsOverIsADoubt(t *testing.T) {
	w := newWorld(t)
	past, future := draft(1), draft(2)
	past.DueDate = must.Get(flussi.EndOfDay(2001, time.December, 31))(t)
	future.DueDate = time.Now().Add(time.Hour)
	report := w.add(t, w.created(t).ID, past, future, draft(3))
	assert.Equal(t, 3, report.Added)
	assert.Equal(t, []string{"1: La scadenza 31/12/2001 è già passata."}, warnings(report))
	assert.ErrorIs(t, past.Check(), appio.ErrPast)
	assert.Equal(t, "DueDate", must.As[*flussi.InvalidError](t, past.Check()).Fields[0].Type)
}

func TestPaymentsAreWholeOrNone(t *testing.T) {
	notice := must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
	payee := must.Get(flussi.ParseOrganizationCode("80185250588"))(t)
	type fields = map[string]error
	for name, test := range map[string]struct {
		change func(*flow.Draft)
		want   fields
	}{
		"no payment":         {func(d *flow.Draft) {}, nil},
		"a payment":          {func(d *flow.Draft) { d.IsPayment, d.Amount, d.NoticeNumber = true, 1, notice }, nil},
		"a payee's payment":  {func(d *flow.Draft) { d.IsPayment, d.Amount, d.NoticeNumber, d.Payee = true, 1, notice, payee }, nil},
		"the greatest sum":   {func(d *flow.Draft) { d.IsPayment, d.Amount, d.NoticeNumber = true, 9_999_999_999, notice }, nil},
		"too great a sum":    {func(d *flow.Draft) { d.IsPayment, d.Amount, d.NoticeNumber = true, 10_000_000_000, notice }, fields{"Amount": flussi.ErrRange}},
		"less than nothing":  {func(d *flow.Draft) { d.IsPayment, d.Amount, d.NoticeNumber = true, -1, notice }, fields{"Amount": flussi.ErrRange}},
		"no sum":             {func(d *flow.Draft) { d.IsPayment, d.NoticeNumber = true, notice }, fields{"Amount": flow.ErrPayment}},
		"no notice number":   {func(d *flow.Draft) { d.IsPayment, d.Amount = true, 1 }, fields{"NoticeNumber": flow.ErrPayment}},
		"neither":            {func(d *flow.Draft) { d.IsPayment = true }, fields{"Amount": flow.ErrPayment, "NoticeNumber": flow.ErrPayment}},
		"a sum alone":        {func(d *flow.Draft) { d.Amount = 1 }, fields{"Amount": flow.ErrPayment}},
		"a notice alone":     {func(d *flow.Draft) { d.NoticeNumber = notice }, fields{"NoticeNumber": flow.ErrPayment}},
		"a payee alone":      {func(d *flow.Draft) { d.Payee = payee }, fields{"Payee": flow.ErrPayment}},
		"all, and no paying": {func(d *flow.Draft) { d.Amount, d.NoticeNumber, d.Payee = 1, notice, payee }, fields{"Amount": flow.ErrPayment, "NoticeNumber": flow.ErrPayment, "Payee": flow.ErrPayment}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := draft(1)
			test.change(&d)
			f := w.prepared(t, 0)
			report, err := w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(d), flow.AddConfig{})
			if test.want == nil {
				require.NoError(t, err)
				assert.Equal(t, d, w.notifications(t, f.ID)[0].Draft)
				return
			}
			require.ErrorIs(t, err, flussi.ErrRows)
			var invalid *flussi.InvalidError
			require.ErrorAs(t, report.Errors[0], &invalid)
			got := fields{}
			for _, field := range invalid.Fields {
				got[field.Type] = field.Err
				assert.NotEmpty(t, field.Reason)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// Rows keep their numbers, which errors name; those without one are counted. What is stored is
// listed in the order of the rows.
func TestRowsKeepTheirNumbersAndTheirOrder(t *testing.T) {
	w := newWorld(t)
	f := w.created(t)
	var rows []flow.Row
	for i := range 300 {
		d := draft(i)
		d.Reference = fmt.Sprint("row ", i)
		rows = append(rows, flow.Row{Number: 1000 - i, Draft: d})
	}
	rows[7].Draft.Subject, rows[8].Draft.Subject, rows[8].Number = flussi.Text{}, flussi.Text{}, 0
	report := must.Get(w.AddNotifications(t.Context(), operator, f.ID, flow.Rows(rows...), flow.AddConfig{SkipInvalid: true}))(t)
	require.Len(t, report.Errors, 2)
	assert.Equal(t, 993, report.Errors[0].Row)
	assert.Equal(t, 9, report.Errors[1].Row)
	next := 0
	for n, err := range w.AllNotifications(t.Context(), operator, flow.NotificationFilter{Flow: f.ID}) {
		require.NoError(t, err)
		if next == 7 {
			next = 9
		}
		assert.Equal(t, fmt.Sprint("row ", next), n.Reference)
		next++
	}
	assert.Equal(t, 300, next)
}
