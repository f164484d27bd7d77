package flow_test

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/authtest"
	"github.com/flussi-go/flussi/internal/must"
)

func TestSearchOfFlows(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		start := time.Now()
		create := func(d flow.Details) uuid.UUID {
			id := do2(t, w.CreateFlow, taxes, d).ID
			time.Sleep(time.Hour)
			return id
		}
		a := create(flow.Details{Note: flussi.NewText("Avvisi TARI perché È ora"), AppContext: "tributi", AppKey: "1"})
		b := create(flow.Details{Note: flussi.NewText("avvisi IMU"), AppContext: "tributi", AppKey: "2"})
		c := create(flow.Details{AppContext: "anagrafe", AppKey: "1"})
		do(t, w.DisableFlow, b)
		d := w.sending(t, 1).ID
		w.run(t, d)
		names := map[uuid.UUID]string{a: "a", b: "b", c: "c", d: "d"}
		for name, test := range map[string]struct {
			filter flow.FlowFilter
			want   string
		}{
			"all, the newest first":       {flow.FlowFilter{}, "d c b a"},
			"IDs":                         {flow.FlowFilter{IDs: []uuid.UUID{a, c, uuid.New()}}, "c a"},
			"services":                    {flow.FlowFilter{Services: []string{taxes}}, "d c b a"},
			"states":                      {flow.FlowFilter{States: []flow.FlowState{flow.FlowSent, flow.FlowActive}}, "d"},
			"text, whatever its case":     {flow.FlowFilter{Text: "AVVISI"}, "b a"},
			"text with accents":           {flow.FlowFilter{Text: "PERCHÉ è"}, "a"},
			"text that is not there":      {flow.FlowFilter{Text: "avvisi%"}, ""},
			"user":                        {flow.FlowFilter{User: "dispatcher"}, "d"},
			"from":                        {flow.FlowFilter{From: start.Add(time.Hour)}, "d c b"},
			"to":                          {flow.FlowFilter{To: start.Add(time.Hour)}, "a"},
			"from and to":                 {flow.FlowFilter{From: start.Add(time.Minute), To: start.Add(2*time.Hour + 1)}, "c b"},
			"context":                     {flow.FlowFilter{AppContext: "tributi"}, "b a"},
			"key":                         {flow.FlowFilter{AppKey: "1"}, "c a"},
			"context and key":             {flow.FlowFilter{AppContext: "tributi", AppKey: "1"}, "a"},
			"only disabled":               {flow.FlowFilter{Disabled: flow.OnlyDisabled}, "b"},
			"only enabled":                {flow.FlowFilter{Disabled: flow.OnlyEnabled}, "d c a"},
			"nothing has all of its keys": {flow.FlowFilter{AppKey: "1", User: "dispatcher"}, ""},
		} {
			got := []string{}
			for _, f := range do2(t, w.Flows, test.filter, flow.Page{}).Flows {
				got = append(got, names[f.ID])
				assert.Equal(t, w.flow(t, f.ID), f, "with its Counts")
			}
			assert.Equal(t, test.want, strings.Join(got, " "), name)
		}
	})
}

func TestSearchOfNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Hold: true}})
		start := time.Now()
		notice := must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
		pay := draft(40)
		pay.IsPayment, pay.Amount, pay.NoticeNumber, pay.Reference = true, 100, notice, "RIF/40"
		pay.Subject = flussi.NewText("Rata della TARI perché È ora")
		a := w.sendNew(t, pay)
		time.Sleep(time.Hour)
		f := w.sending(t, 3)
		w.run(t, f.ID, refusal, noAnswer)
		all := w.notifications(t, f.ID)
		b, c, d := all[0], all[1], all[2]
		time.Sleep(time.Hour)
		e := w.sendInVain(t, draft(41), appiotest.Fault{Kind: appiotest.Unauthorized})
		do(t, w.DisableNotification, e.ID)
		time.Sleep(time.Hour)
		names := map[uuid.UUID]string{a.ID: "a", b.ID: "b", c.ID: "c", d.ID: "d", e.ID: "e"}
		sentB := d.Transmission.MessageID
		for name, test := range map[string]struct {
			filter flow.NotificationFilter
			want   string
		}{
			"all, the newest first":   {flow.NotificationFilter{}, "e d c b a"},
			"IDs":                     {flow.NotificationFilter{IDs: []uuid.UUID{a.ID, e.ID, uuid.New()}}, "e a"},
			"flow":                    {flow.NotificationFilter{Flow: f.ID}, "d c b"},
			"those of no flow":        {flow.NotificationFilter{Standalone: true}, "e a"},
			"services":                {flow.NotificationFilter{Services: []string{taxes}}, "e d c b a"},
			"states":                  {flow.NotificationFilter{States: []flow.NotificationState{flow.NotificationFailed, flow.NotificationRegistered}}, "e c b"},
			"error codes":             {flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeOutcomeUnknown}}, "c"},
			"two error codes":         {flow.NotificationFilter{ErrorCodes: []flow.ErrorCode{flow.CodeOutcomeUnknown, flow.CodeRefused}}, "c b"},
			"text, whatever its case": {flow.NotificationFilter{Text: "oggetto RISERVATO"}, "e d c b"},
			"text with accents":       {flow.NotificationFilter{Text: "PERCHÉ è"}, "a"},
			"user":                    {flow.NotificationFilter{User: "dispatcher"}, "d c b"},
			"from":                    {flow.NotificationFilter{From: start.Add(time.Hour)}, "e d c b"},
			"to":                      {flow.NotificationFilter{To: start.Add(time.Hour)}, "a"},
			"from and to":             {flow.NotificationFilter{From: start.Add(time.Hour), To: start.Add(2 * time.Hour)}, "d c b"},
			"recipient":               {flow.NotificationFilter{Recipient: citizen(41)}, "e"},
			"notice number":           {flow.NotificationFilter{NoticeNumber: notice}, "a"},
			"reference":               {flow.NotificationFilter{Reference: "RIF/40"}, "a"},
			"part of a reference":     {flow.NotificationFilter{Reference: "RIF"}, ""},
			"message ID":              {flow.NotificationFilter{MessageID: sentB}, "d"},
			"digests":                 {flow.NotificationFilter{Digests: []flow.Digest{pay.Digest(), draft(1).Digest()}}, "c a"},
			"only disabled":           {flow.NotificationFilter{Disabled: flow.OnlyDisabled}, "e"},
			"only enabled":            {flow.NotificationFilter{Disabled: flow.OnlyEnabled}, "d c b a"},
			"unsettled":               {flow.NotificationFilter{DeliveryOpen: true}, "d a"},
			"closed before":           {flow.NotificationFilter{ClosedBefore: time.Now()}, "e d b a"},
			"closed before that":      {flow.NotificationFilter{ClosedBefore: start.Add(time.Hour)}, "a"},
			"all at once":             {flow.NotificationFilter{Flow: f.ID, Recipient: citizen(2), DeliveryOpen: true, MessageID: sentB}, "d"},
			"nothing has all":         {flow.NotificationFilter{Flow: f.ID, Standalone: true}, ""},
		} {
			got := []string{}
			for _, n := range do2(t, w.Notifications, test.filter, flow.Page{}).Notifications {
				got = append(got, names[n.ID])
				assert.Equal(t, w.notification(t, n.ID), n)
			}
			assert.Equal(t, test.want, strings.Join(got, " "), name)
			exported := []string{}
			for _, n := range must.Get(pull(w.AllNotifications(t.Context(), operator, test.filter)))(t) {
				exported = append(exported, names[n.ID])
			}
			slices.Reverse(exported)
			assert.Equal(t, got, exported, name)
		}
		do(t, w.VerifyNotification, a.ID)
		w.Process()
		do(t, w.VerifyNotification, a.ID)
		assert.Len(t, do2(t, w.Notifications, flow.NotificationFilter{DeliveryOpen: true}, flow.Page{}).Notifications, 1)
	})
}

func TestSearchesThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.prepared(t, 2)
	for name, test := range map[string]struct {
		text string
		page flow.Page
		err  error
	}{
		"a letter":                {"à", flow.Page{}, flussi.ErrLength},
		"two letters of 4 bytes":  {"àè", flow.Page{}, flussi.ErrLength},
		"three letters":           {"àèì", flow.Page{}, nil},
		"less than nothing":       {"", flow.Page{Limit: -1}, flussi.ErrRange},
		"the longest page":        {"", flow.Page{Limit: flow.MaxPage}, nil},
		"longer than the longest": {"", flow.Page{Limit: flow.MaxPage + 1}, flussi.ErrRange},
	} {
		t.Run(name, func(t *testing.T) {
			calls := []func() error{
				try2(t, w.Flows, flow.FlowFilter{Text: test.text}, test.page),
				try2(t, w.Notifications, flow.NotificationFilter{Text: test.text}, test.page),
			}
			if test.text != "" {
				calls = append(calls, func() error {
					return must.Err(pull(w.AllNotifications(t.Context(), operator, flow.NotificationFilter{Text: test.text})))
				})
			}
			for _, call := range calls {
				if test.err == nil {
					assert.NoError(t, call())
				} else {
					w.refused(t, test.err, call)
				}
			}
		})
	}
}

// overTheWire is what becomes of a cursor in a URL.
func overTheWire(t *testing.T, c flow.Cursor) flow.Cursor {
	t.Helper()
	text := must.Get(c.MarshalText())(t)
	assert.Regexp(t, `^[0-9A-Za-z_-]*$`, string(text))
	got := flow.Cursor{At: time.Now()}
	require.NoError(t, got.UnmarshalText(text))
	assert.Equal(t, c, got)
	return got
}

// pagesOf returns the IDs of a list, page by page.
func pagesOf[T any](t *testing.T, limit int, oldestFirst bool, list func(flow.Page) ([]T, flow.Cursor), id func(T) uuid.UUID) (ids []uuid.UUID) {
	for page := (flow.Page{Limit: limit, OldestFirst: oldestFirst}); ; {
		part, next := list(page)
		require.NotEmpty(t, part, "an empty page")
		require.LessOrEqual(t, len(part), limit)
		for _, item := range part {
			ids = append(ids, id(item))
		}
		if page.After = overTheWire(t, next); page.After.IsZero() {
			return ids
		}
	}
}

func TestPagesToTheEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 55) // all of the same moment
		var flows []uuid.UUID
		flows = append(flows, f.ID)
		for i := range 24 {
			flows = append(flows, w.prepared(t, 0).ID)
			if i%4 == 3 {
				time.Sleep(time.Millisecond)
			}
		}
		var ids []uuid.UUID
		for _, n := range w.notifications(t, f.ID) {
			ids = append(ids, n.ID)
		}
		require.Len(t, ids, 55)
		for _, oldest := range []bool{true, false} {
			for _, limit := range []int{1, 5, 7, 24, 25, 54, 55, 56} {
				gotFlows := pagesOf(t, limit, oldest, func(page flow.Page) ([]flow.Flow, flow.Cursor) {
					part := do2(t, w.Flows, flow.FlowFilter{}, page)
					return part.Flows, part.Next
				}, func(f flow.Flow) uuid.UUID { return f.ID })
				got := pagesOf(t, limit, oldest, func(page flow.Page) ([]flow.Notification, flow.Cursor) {
					part := do2(t, w.Notifications, flow.NotificationFilter{}, page)
					return part.Notifications, part.Next
				}, func(n flow.Notification) uuid.UUID { return n.ID })
				if !oldest {
					slices.Reverse(got)
					slices.Reverse(gotFlows)
				}
				assert.Equal(t, ids, got, "limit %d", limit)
				assert.Equal(t, flows, gotFlows, "limit %d", limit)
			}
		}
		assert.Len(t, do2(t, w.Notifications, flow.NotificationFilter{}, flow.Page{}).Notifications, 50, "by default")
	})
}

func TestAnExportIsCompleteOrEndsWithAnError(t *testing.T) {
	w := newWorld(t)
	var all []flow.Draft
	for i := range 2*flow.MaxPage + 1 {
		all = append(all, draft(i))
	}
	f := w.prepared(t, 0)
	w.add(t, f.ID, all...)
	assert.Len(t, must.Get(pull(w.AllNotifications(t.Context(), operator, flow.NotificationFilter{})))(t), len(all))

	store := newFaultyStore(w.store)
	service := newService(t, store, w.senders)
	down := errors.New("connection lost")
	store.set("Notifications", 1, 1, down)
	got, items := 0, service.AllNotifications(t.Context(), operator, flow.NotificationFilter{})
	var failed []error
	for n, err := range items {
		if err != nil {
			failed = append(failed, err)
			assert.Zero(t, n)
			continue
		}
		got++
	}
	assert.Equal(t, flow.MaxPage, got)
	require.Len(t, failed, 1)
	assert.ErrorIs(t, failed[0], down)

	// Whoever has seen enough stops, and the sequence can be pulled anew.
	for range 2 {
		next, stop := iter.Pull2(w.AllNotifications(t.Context(), operator, flow.NotificationFilter{}))
		n, err, ok := next()
		assert.True(t, ok)
		assert.NoError(t, err)
		assert.Equal(t, all[0], n.Draft)
		stop()
	}
}

func TestInvalidCursorIsRefused(t *testing.T) {
	id := uuid.NewString()
	for _, text := range []string{
		"x", "1", "_", "1_", "_" + id, id, "1_x", "x_" + id, "1_" + id[:35], "1_" + id + "0", "1.5_" + id, "99999999999999999999_" + id, "1-" + id,
	} {
		c := flow.Cursor{At: time.Unix(1, 0), ID: uuid.Max}
		err := c.UnmarshalText([]byte(text))
		assert.ErrorIs(t, err, flussi.ErrCharacter, text)
		assert.Equal(t, "La pagina richiesta non esiste: ripetere la ricerca.", flussi.Explain(err))
		assert.Equal(t, flow.Cursor{At: time.Unix(1, 0), ID: uuid.Max}, c, "unchanged by %q", text)
	}
}

func TestFlowFilterRefusesUnknownValues(t *testing.T) {
	w := newWorld(t)
	authtest.Filters[flow.FlowFilter]{
		Invalid: map[string][]flow.FlowFilter{
			"States":     {{States: []flow.FlowState{"boh"}}, {States: []flow.FlowState{flow.FlowSent, ""}}},
			"Text":       {{Text: "ab"}, {Text: "è"}, {Text: "nota\x00"}, {Text: "not\xe0"}},
			"User":       {{User: "m.neri\x00"}},
			"AppContext": {{AppContext: "tribut\xec"}},
			"AppKey":     {{AppKey: "\x00"}},
			"Disabled":   {{Disabled: "boh"}},
		},
		Free: []string{"IDs", "Services", "From", "To", "ChangedFrom", "ChangedTo", "ScheduledBefore"},
		Valid: []flow.FlowFilter{
			{}, {Text: "abc"}, {Text: "è ò"}, {Disabled: flow.OnlyDisabled}, {Disabled: flow.OnlyEnabled},
			{States: []flow.FlowState{flow.FlowInactive, flow.FlowActive, flow.FlowSending, flow.FlowSent, flow.FlowIncomplete}},
			{IDs: []uuid.UUID{uuid.New()}, From: time.Now(), To: time.Now(), User: "m.neri", AppContext: "tributi", AppKey: "riga 1\nriga 2"},
		},
		Searches: map[string]func(*testing.T, flow.FlowFilter) error{
			"Flows": func(t *testing.T, q flow.FlowFilter) error {
				return must.Err(w.Flows(t.Context(), operator, q, flow.Page{}))
			},
		},
	}.Run(t)
}

func TestNotificationFilterRefusesUnknownValues(t *testing.T) {
	w := newWorld(t)
	authtest.Filters[flow.NotificationFilter]{
		Invalid: map[string][]flow.NotificationFilter{
			"States":     {{States: []flow.NotificationState{"boh"}}, {States: []flow.NotificationState{flow.NotificationSent, ""}}},
			"ErrorCodes": {{ErrorCodes: []flow.ErrorCode{"boh"}}, {ErrorCodes: []flow.ErrorCode{flow.CodeRefused, "Refused"}}},
			"Text":       {{Text: "ab"}, {Text: "oggetto\x00"}},
			"User":       {{User: "\x00"}},
			"Reference":  {{Reference: "RIF\x00"}},
			"MessageID":  {{MessageID: "01\xff"}},
			"Disabled":   {{Disabled: "true"}},
		},
		Free: []string{
			"IDs", "Flow", "Standalone", "Services", "From", "To", "Recipient", "NoticeNumber", "Digests",
			"ChangedFrom", "ChangedTo", "DeliveryOpen", "ClosedBefore",
		},
		Valid: []flow.NotificationFilter{
			{}, {Text: "TARI"}, {ErrorCodes: []flow.ErrorCode{""}}, {Disabled: flow.OnlyDisabled},
			{States: []flow.NotificationState{flow.NotificationRegistered, flow.NotificationSending, flow.NotificationSent, flow.NotificationFailed}},
			{ErrorCodes: []flow.ErrorCode{
				flow.CodeRefused, flow.CodeNotPermitted, flow.CodeUnreachable, flow.CodeOutcomeUnknown, flow.CodeNotSent, flow.CodeAlreadySent, flow.CodeInvalid,
			}},
		},
		Searches: map[string]func(*testing.T, flow.NotificationFilter) error{
			"Notifications": func(t *testing.T, q flow.NotificationFilter) error {
				return must.Err(w.Notifications(t.Context(), operator, q, flow.Page{}))
			},
			"AllNotifications": func(t *testing.T, q flow.NotificationFilter) error {
				return must.Err(pull(w.AllNotifications(t.Context(), operator, q)))
			},
			"ConfirmUnknown": func(t *testing.T, q flow.NotificationFilter) error {
				return must.Err(w.ConfirmUnknown(t.Context(), operator, q, "detto dal fornitore"))
			},
			"ResendUnknown": func(t *testing.T, q flow.NotificationFilter) error {
				return must.Err(w.ResendUnknown(t.Context(), operator, q, "detto dal fornitore"))
			},
		},
	}.Run(t)
}

func TestAnUnknownValueOfDisabledMatchesNothing(t *testing.T) {
	for _, disabled := range []bool{false, true} {
		assert.False(t, flow.FlowFilter{Disabled: "boh"}.Match(flow.Flow{Disabled: disabled}))
		assert.False(t, flow.NotificationFilter{Disabled: "boh"}.Match(flow.Notification{Disabled: disabled}))
		assert.Equal(t, disabled, flow.FlowFilter{Disabled: flow.OnlyDisabled}.Match(flow.Flow{Disabled: disabled}))
		assert.Equal(t, !disabled, flow.FlowFilter{Disabled: flow.OnlyEnabled}.Match(flow.Flow{Disabled: disabled}))
	}
}

func TestAPageAndAFilterAreRefusedTogether(t *testing.T) {
	w := newWorld(t)
	for _, limit := range []int{-1, flow.MaxPage + 1} {
		_, err := w.Flows(t.Context(), operator, flow.FlowFilter{Disabled: "boh", Text: "x"}, flow.Page{Limit: limit})
		var invalid *flussi.InvalidError
		require.ErrorAs(t, err, &invalid)
		var fields []string
		for _, f := range invalid.Fields {
			fields = append(fields, f.Type)
		}
		assert.Equal(t, []string{"Text", "Disabled", "Limit"}, fields)
		_, err = w.Flows(t.Context(), operator, flow.FlowFilter{Services: []string{school}, Disabled: "boh"}, flow.Page{Limit: limit})
		assert.ErrorIs(t, err, flussi.ErrForbidden, "who may not look is told so first")
	}
}
