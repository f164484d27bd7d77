package flow_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/authtest"
	"github.com/flussi-go/flussi/internal/must"
)

// scene has an entity in every state that a method needs to succeed.
type scene struct {
	service                        string
	inactive, active, disabled     flow.Flow // flows
	incomplete                     flow.Flow // flow
	draft, sent, refused, unknown  flow.Notification
	registered, aside, alsoUnknown flow.Notification
}

// sceneOf makes the scene in the taxes.
func sceneOf(t testing.TB, w *world) scene {
	t.Helper()
	s := scene{service: taxes, inactive: w.prepared(t, 3), active: w.prepared(t, 2), disabled: w.prepared(t, 1)}
	must.Get(w.ActivateFlow(t.Context(), operator, s.active.ID))(t)
	must.Get(w.DisableFlow(t.Context(), operator, s.disabled.ID))(t)
	s.incomplete = w.sending(t, 7)
	w.Fail(appiotest.SubmitMessage, refusal, refusal, refusal,
		noAnswer, noAnswer)
	must.Get(w.dispatcher(t, flow.DispatcherConfig{Workers: 1}).Run(t.Context(), s.incomplete.ID))(t)
	var failed, unknown, sent []flow.Notification
	for _, n := range w.notifications(t, s.incomplete.ID) {
		switch n.Transmission.ErrorCode {
		case flow.CodeRefused:
			failed = append(failed, n)
		case flow.CodeOutcomeUnknown:
			unknown = append(unknown, n)
		default:
			sent = append(sent, n)
		}
	}
	require.Equal(t, [3]int{3, 2, 2}, [3]int{len(failed), len(unknown), len(sent)})
	must.Get(w.RegisterNotification(t.Context(), operator, failed[1].ID))(t)
	must.Get(w.DisableNotification(t.Context(), operator, failed[2].ID))(t)
	s.draft = w.notifications(t, s.inactive.ID)[0]
	s.sent, s.refused, s.registered, s.aside = sent[0], failed[0], failed[1], failed[2]
	s.unknown, s.alsoUnknown = unknown[0], unknown[1]
	s.inactive, s.active, s.disabled, s.incomplete = w.flow(t, s.inactive.ID), w.flow(t, s.active.ID), w.flow(t, s.disabled.ID), w.flow(t, s.incomplete.ID)
	return s
}

// missing is the same scene with IDs that do not exist.
func (s scene) missing() scene {
	for _, f := range []*flow.Flow{&s.inactive, &s.active, &s.disabled, &s.incomplete} {
		f.ID = uuid.New()
	}
	for _, n := range []*flow.Notification{&s.draft, &s.sent, &s.refused, &s.unknown, &s.registered, &s.aside, &s.alsoUnknown} {
		n.ID = uuid.New()
	}
	return s
}

// pull returns a whole sequence, up to its first error.
func pull[T any](sequence iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for item, err := range sequence {
		if err != nil {
			return all, err
		}
		all = append(all, item)
	}
	return all, nil
}

// stage is a service whose methods are called on a scene.
type stage struct {
	*flow.Service
	scene
}

type (
	ctx   = context.Context
	actor = flussi.Actor
)

// methods has a call for every method of a Service, that succeeds for the operator.
var methods = map[string]authtest.Call[stage]{
	"CreateFlow": {Names: authtest.Scope, Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.CreateFlow(ctx, by, s.service, flow.Details{}) }},
	"EditFlow": {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.EditFlow(ctx, by, s.inactive.ID, s.inactive.Version, flow.Details{Note: flussi.NewText("cambiata")})
	}},
	"ActivateFlow":   {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.ActivateFlow(ctx, by, s.inactive.ID) }},
	"DeactivateFlow": {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.DeactivateFlow(ctx, by, s.active.ID) }},
	"ScheduleFlow": {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.ScheduleFlow(ctx, by, s.active.ID, time.Now().Add(time.Hour))
	}},
	"SendFlow":    {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.SendFlow(ctx, by, s.active.ID) }},
	"DisableFlow": {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.DisableFlow(ctx, by, s.inactive.ID) }},
	"EnableFlow":  {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.EnableFlow(ctx, by, s.disabled.ID) }},
	"ImportFlow": {Names: authtest.Scope, Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		f, _, err := s.ImportFlow(ctx, by, s.service, flow.Details{}, flow.DraftRows(draft(901)), flow.AddConfig{})
		return f, err
	}},
	"AddNotifications": {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.AddNotifications(ctx, by, s.inactive.ID, flow.DraftRows(draft(900)), flow.AddConfig{})
	}},
	"EditNotification": {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.EditNotification(ctx, by, s.draft.ID, s.draft.Version, draft(901))
	}},
	"RegisterNotification": {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.RegisterNotification(ctx, by, s.refused.ID) }},
	"ConfirmNotification": {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.ConfirmNotification(ctx, by, s.unknown.ID, "detto dal cittadino")
	}},
	"ResendNotification": {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.ResendNotification(ctx, by, s.alsoUnknown.ID, "detto dal cittadino")
	}},
	"DisableNotification": {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.DisableNotification(ctx, by, s.refused.ID) }},
	"EnableNotification":  {Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.EnableNotification(ctx, by, s.aside.ID) }},
	"SendNewNotification": {Names: authtest.Scope, Changes: true, Remote: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.SendNewNotification(ctx, by, s.service, draft(902), flow.SendNewConfig{})
	}},
	"SendNotification":   {Changes: true, Remote: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.SendNotification(ctx, by, s.registered.ID) }},
	"VerifyNotification": {Changes: true, Remote: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.VerifyNotification(ctx, by, s.sent.ID) }},
	"VerifyFlow":         {Changes: true, Remote: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.VerifyFlow(ctx, by, s.incomplete.ID) }},
	"CheckRecipients": {Remote: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return pull(s.CheckRecipients(ctx, by, s.inactive.ID, flow.Cursor{}))
	}},
	"Anonymise": {Names: authtest.Scope, Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.Anonymise(ctx, by, s.service, time.Now()) }},
	"ConfirmUnknown": {Names: authtest.Scope, Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.ConfirmUnknown(ctx, by, flow.NotificationFilter{Services: []string{s.service}}, "detto dal fornitore")
	}},
	"ResendUnknown": {Names: authtest.Scope, Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.ResendUnknown(ctx, by, flow.NotificationFilter{Services: []string{s.service}}, "detto dal fornitore")
	}},
	"DeclareRestored": {Names: authtest.Scope, Changes: true, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.DeclareRestored(ctx, by, time.Now().Add(-time.Hour))
	}},
	"Watch":               {Do: func(ctx ctx, s stage, by actor) (any, error) { return pull(s.Watch(ctx, by, s.incomplete.ID)) }},
	"Flow":                {Do: func(ctx ctx, s stage, by actor) (any, error) { return s.Flow(ctx, by, s.incomplete.ID) }},
	"Notification":        {Do: func(ctx ctx, s stage, by actor) (any, error) { return s.Notification(ctx, by, s.sent.ID) }},
	"FlowActions":         {Do: func(ctx ctx, s stage, by actor) (any, error) { return s.FlowActions(ctx, by, s.incomplete.ID) }},
	"NotificationActions": {Do: func(ctx ctx, s stage, by actor) (any, error) { return s.NotificationActions(ctx, by, s.sent.ID) }},
	"FlowHistory":         {Do: func(ctx ctx, s stage, by actor) (any, error) { return s.FlowHistory(ctx, by, s.incomplete.ID) }},
	"NotificationHistory": {Do: func(ctx ctx, s stage, by actor) (any, error) { return s.NotificationHistory(ctx, by, s.sent.ID) }},
	"Flows": {Names: authtest.Scope, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.Flows(ctx, by, flow.FlowFilter{Services: []string{s.service}}, flow.Page{})
	}},
	"Notifications": {Names: authtest.Scope, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return s.Notifications(ctx, by, flow.NotificationFilter{Services: []string{s.service}}, flow.Page{})
	}},
	"AllNotifications": {Names: authtest.Scope, Do: func(ctx ctx, s stage, by actor) (any, error) {
		return pull(s.AllNotifications(ctx, by, flow.NotificationFilter{Services: []string{s.service}}))
	}},
	"Services": {Names: authtest.List, Do: func(ctx ctx, s stage, by actor) (any, error) { return s.Services(ctx, by) }},
}
