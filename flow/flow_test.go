package flow_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/machinetest"
	"github.com/flussi-go/flussi/internal/must"
)

var (
	operator = flussi.Actor{ID: "italsoft", Roles: []flussi.Role{flussi.Operator}}
	system   = flussi.Actor{ID: "dispatcher", Roles: []flussi.Role{flussi.System}}
)

func TestNewFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := must.Get(flow.NewFlow("servizio-tributi", operator))(t)
		assert.Equal(t, uuid.Version(7), f.ID.Version())
		assert.Equal(t, flow.FlowInactive, f.State)
		assert.Equal(t, "servizio-tributi", f.Service)
		assert.Equal(t, time.Now().UTC(), f.CreatedAt)
		assert.Equal(t, time.UTC, f.CreatedAt.Location())
		assert.Equal(t, f.CreatedAt, f.UpdatedAt)
		assert.Equal(t, "italsoft", f.UpdatedBy)
		assert.Zero(t, f.Version)
	})
	_, err := flow.NewFlow("", operator)
	assert.ErrorIs(t, err, flussi.ErrEmpty)
	assert.Equal(t, "Manca il servizio.", flussi.Explain(err))
	assert.ErrorIs(t, must.Err(flow.NewFlow("servizio-tributi", flussi.Actor{})), flussi.ErrEmpty)
}

// The states that the guide lists for a flow, with its names.
func TestFlowStatesAreTheGuides(t *testing.T) {
	assert.Equal(t, []string{"Inattivo", "Attivo", "In invio", "Inviato", "Invio incompleto"}, machinetest.Labels(flow.FlowMachine()))
	assert.Equal(t, "sconosciuto", flow.FlowState("sconosciuto").Label())
	assert.Equal(t, "Importa da File Excel", flow.FlowImport.Label())
}

func TestFlowTransitions(t *testing.T) {
	for name, test := range map[string]struct {
		from   flow.FlowState
		action flow.FlowAction
		by     flussi.Actor
		want   flow.FlowState
		err    error
	}{
		"notifications are imported in preparation": {flow.FlowInactive, flow.FlowImport, operator, flow.FlowInactive, nil},
		"and not once it is active":                 {flow.FlowActive, flow.FlowImport, operator, flow.FlowActive, fsm.ErrNotAllowed},
		"nor while it is sent":                      {flow.FlowSending, flow.FlowImport, operator, flow.FlowSending, fsm.ErrNotAllowed},
		"nor after it was sent":                     {flow.FlowSent, flow.FlowImport, operator, flow.FlowSent, fsm.ErrNotAllowed},
		"nor when it is incomplete":                 {flow.FlowIncomplete, flow.FlowImport, operator, flow.FlowIncomplete, fsm.ErrNotAllowed},
		"it is made ready":                          {flow.FlowInactive, flow.FlowActivate, operator, flow.FlowActive, nil},
		"it is not sent unprepared":                 {flow.FlowInactive, flow.FlowSend, operator, flow.FlowInactive, fsm.ErrNotAllowed},
		"it is set back":                            {flow.FlowActive, flow.FlowDeactivate, operator, flow.FlowInactive, nil},
		"it is not set back once it is sent":        {flow.FlowSent, flow.FlowDeactivate, operator, flow.FlowSent, fsm.ErrNotAllowed},
		"it is sent":                                {flow.FlowActive, flow.FlowSend, operator, flow.FlowSending, nil},
		"it is sent later":                          {flow.FlowActive, flow.FlowSchedule, operator, flow.FlowActive, nil},
		"a flow in preparation is not":              {flow.FlowInactive, flow.FlowSchedule, operator, flow.FlowInactive, fsm.ErrNotAllowed},
		"its time comes":                            {flow.FlowActive, flow.FlowBegin, system, flow.FlowSending, nil},
		"an operator does not say so":               {flow.FlowActive, flow.FlowBegin, operator, flow.FlowActive, fsm.ErrRole},
		"it is not sent twice at once":              {flow.FlowSending, flow.FlowSend, operator, flow.FlowSending, fsm.ErrNotAllowed},
		"it is not sent again":                      {flow.FlowSent, flow.FlowSend, operator, flow.FlowSent, fsm.ErrNotAllowed},
		"it is not edited under way":                {flow.FlowSending, flow.FlowEdit, operator, flow.FlowSending, fsm.ErrNotAllowed},
		"its note is edited afterwards":             {flow.FlowSent, flow.FlowEdit, operator, flow.FlowSent, nil},
		"all went well":                             {flow.FlowSending, flow.FlowComplete, system, flow.FlowSent, nil},
		"some did not arrive":                       {flow.FlowSending, flow.FlowEndIncomplete, system, flow.FlowIncomplete, nil},
		"an operator does not decide that":          {flow.FlowSending, flow.FlowComplete, operator, flow.FlowSending, fsm.ErrRole},
		"the system does not send by itself":        {flow.FlowActive, flow.FlowSend, system, flow.FlowActive, fsm.ErrRole},
		"a message is rejected later":               {flow.FlowSent, flow.FlowEndIncomplete, system, flow.FlowIncomplete, nil},
		"it goes on after corrections":              {flow.FlowIncomplete, flow.FlowSend, operator, flow.FlowSending, nil},
		"the last error is resolved":                {flow.FlowIncomplete, flow.FlowComplete, system, flow.FlowSent, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := flow.Flow{State: test.from, Details: flow.Details{Note: flussi.NewText("test 2")}, Version: 3}
			assert.ErrorIs(t, f.Fire(t.Context(), test.action, test.by), test.err)
			assert.Equal(t, flow.Flow{State: test.want, Details: flow.Details{Note: flussi.NewText("test 2")}, Version: 3}, f, "nothing but the state changes")
		})
	}
}

func TestFlowAllowed(t *testing.T) {
	f := flow.Flow{State: flow.FlowInactive}
	assert.Equal(t, []flow.FlowAction{flow.FlowImport, flow.FlowActivate, flow.FlowEdit, flow.FlowDisable}, f.Allowed(flussi.Operator))
	assert.Empty(t, f.Allowed())
	f.State = flow.FlowSending
	assert.Equal(t, []flow.FlowAction{flow.FlowVerify, flow.FlowDisable}, f.Allowed(flussi.Operator))
	f.Disabled = true
	assert.Equal(t, []flow.FlowAction{flow.FlowVerify, flow.FlowEnable}, f.Allowed(flussi.Operator))
}

func TestDisabledFlowRefusesOperators(t *testing.T) {
	for _, state := range flow.FlowMachine().States() {
		for _, row := range flow.FlowMachine().Transitions() {
			f := flow.Flow{State: state.Name, Disabled: true}
			by := operator
			if row.Roles[0] == flussi.System {
				by = system
			}
			if _, err := flow.FlowMachine().Next(state.Name, row.Event); err != nil {
				continue
			}
			err := f.Fire(t.Context(), row.Event, by)
			switch row.Event {
			case flow.FlowEnable, flow.FlowVerify, flow.FlowComplete, flow.FlowEndIncomplete, flow.FlowStop:
				assert.NoError(t, err, "%s in %s", row.Event, state.Name)
			default:
				assert.ErrorIs(t, err, flow.ErrDisabled, "%s in %s", row.Event, state.Name)
				assert.Equal(t, state.Name, f.State)
			}
		}
	}
	f := flow.Flow{State: flow.FlowActive}
	assert.ErrorIs(t, f.Fire(t.Context(), flow.FlowEnable, operator), flow.ErrNotDisabled)
}

func TestDisabledOrAnonymisedNotificationRefusesOperators(t *testing.T) {
	for _, state := range flow.NotificationMachine().States() {
		for _, row := range flow.NotificationMachine().Transitions() {
			if _, err := flow.NotificationMachine().Next(state.Name, row.Event); err != nil {
				continue
			}
			by := operator
			if row.Roles[0] == flussi.System {
				by = system
			}
			code := flow.CodeRefused
			switch row.Event {
			case flow.NotificationAccept, flow.NotificationConfirm, flow.NotificationResend:
				code = flow.CodeOutcomeUnknown
			}
			happened := row.Event == flow.NotificationAccept || row.Event == flow.NotificationFail ||
				row.Event == flow.NotificationRelease || row.Event == flow.NotificationReject
			disabled := flow.Notification{State: state.Name, Disabled: true, Transmission: flow.Transmission{ErrorCode: code}}
			err := disabled.Fire(t.Context(), row.Event, by)
			if happened || row.Event == flow.NotificationEnable || row.Event == flow.NotificationVerify {
				assert.NoError(t, err, "%s in %s", row.Event, state.Name)
			} else {
				assert.ErrorIs(t, err, flow.ErrDisabled, "%s in %s", row.Event, state.Name)
			}
			erased := flow.Notification{State: state.Name, AnonymisedAt: time.Now(), Transmission: flow.Transmission{ErrorCode: code}}
			err = erased.Fire(t.Context(), row.Event, by)
			switch {
			case happened:
				assert.NoError(t, err, "%s in %s", row.Event, state.Name)
			default:
				assert.ErrorIs(t, err, flow.ErrAnonymised, "%s in %s", row.Event, state.Name)
			}
		}
	}
}

func TestFlowMasksItsTexts(t *testing.T) {
	f := flow.Flow{Service: "servizio-tributi", State: flow.FlowActive, Details: flow.Details{Note: flussi.NewText("per Rossi")}, Error: "chiave"}
	leaktest.CheckEntity(t, f,
		`{"id":"00000000-0000-0000-0000-000000000000","service":"servizio-tributi","state":"active","messages":0,"disabled":false,"version":0}`, "Rossi")
}

func notification(t *testing.T) flow.Notification {
	n := must.Get(flow.NewNotification("servizio-tributi", flussi.TestRecipient(), operator))(t)
	n.Subject, n.Content = flussi.NewText("Oggetto segreto"), flussi.NewText("Contenuto segreto")
	n.NoticeNumber = must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
	return n
}

func TestNewNotification(t *testing.T) {
	n := notification(t)
	assert.Equal(t, uuid.Version(7), n.ID.Version())
	assert.False(t, n.CreatedAt.IsZero())
	assert.Equal(t, flow.Notification{
		ID: n.ID, Service: "servizio-tributi", State: flow.NotificationRegistered,
		Draft:     flow.Draft{Recipient: flussi.TestRecipient(), Subject: n.Subject, Content: n.Content, NoticeNumber: n.NoticeNumber},
		CreatedAt: n.CreatedAt, UpdatedAt: n.CreatedAt, UpdatedBy: "italsoft",
	}, n)
	for name, make := range map[string]func() (flow.Notification, error){
		"Manca il servizio.": func() (flow.Notification, error) {
			return flow.NewNotification("", flussi.TestRecipient(), operator)
		},
		"Manca il codice fiscale del destinatario.": func() (flow.Notification, error) {
			return flow.NewNotification("servizio-tributi", flussi.FiscalCode{}, operator)
		},
		"Manca l'utente che esegue l'operazione.": func() (flow.Notification, error) {
			return flow.NewNotification("servizio-tributi", flussi.TestRecipient(), flussi.Actor{})
		},
	} {
		_, err := make()
		assert.ErrorIs(t, err, flussi.ErrEmpty)
		assert.Equal(t, name, flussi.Explain(err))
	}
}

func TestNotificationStatesAreTheGuides(t *testing.T) {
	assert.Equal(t, []string{"Registrato", "In invio", "Inviato", "Errore"}, machinetest.Labels(flow.NotificationMachine()))
	assert.Equal(t, "Riporta a Registrato", flow.NotificationRegister.Label())
}

func TestNotificationTransitions(t *testing.T) {
	for name, test := range map[string]struct {
		from   flow.NotificationState
		code   flow.ErrorCode
		action flow.NotificationAction
		by     flussi.Actor
		want   flow.NotificationState
		err    error
	}{
		"it is claimed":                                  {flow.NotificationRegistered, "", flow.NotificationClaim, system, flow.NotificationSending, nil},
		"it is not claimed twice":                        {flow.NotificationSending, "", flow.NotificationClaim, system, flow.NotificationSending, fsm.ErrNotAllowed},
		"nor after it was sent":                          {flow.NotificationSent, "", flow.NotificationClaim, system, flow.NotificationSent, fsm.ErrNotAllowed},
		"nor out of an error":                            {flow.NotificationFailed, flow.CodeRefused, flow.NotificationClaim, system, flow.NotificationFailed, fsm.ErrNotAllowed},
		"it is not accepted unclaimed":                   {flow.NotificationRegistered, "", flow.NotificationAccept, system, flow.NotificationRegistered, fsm.ErrNotAllowed},
		"it is accepted":                                 {flow.NotificationSending, "", flow.NotificationAccept, system, flow.NotificationSent, nil},
		"an operator does not say so":                    {flow.NotificationSending, "", flow.NotificationAccept, operator, flow.NotificationSending, fsm.ErrRole},
		"it was certainly not sent":                      {flow.NotificationSending, "", flow.NotificationRelease, system, flow.NotificationRegistered, nil},
		"nor after a refusal that stopped its flow":      {flow.NotificationFailed, flow.CodeNotPermitted, flow.NotificationRelease, system, flow.NotificationRegistered, nil},
		"which an operator does not say":                 {flow.NotificationFailed, flow.CodeRefused, flow.NotificationRelease, operator, flow.NotificationFailed, fsm.ErrRole},
		"what may have arrived is not taken back":        {flow.NotificationFailed, flow.CodeOutcomeUnknown, flow.NotificationRelease, system, flow.NotificationFailed, flow.ErrMayHaveArrived},
		"nor what was not refused":                       {flow.NotificationFailed, flow.CodeAlreadySent, flow.NotificationRelease, system, flow.NotificationFailed, flussi.ErrState},
		"it failed, or nobody knows":                     {flow.NotificationSending, "", flow.NotificationFail, system, flow.NotificationFailed, nil},
		"it is rejected later":                           {flow.NotificationSent, "", flow.NotificationReject, system, flow.NotificationFailed, nil},
		"it is not set back once it was sent":            {flow.NotificationSent, "", flow.NotificationRegister, operator, flow.NotificationSent, fsm.ErrNotAllowed},
		"it is corrected":                                {flow.NotificationFailed, flow.CodeRefused, flow.NotificationEdit, operator, flow.NotificationFailed, nil},
		"it is not edited while it may be under way":     {flow.NotificationSending, "", flow.NotificationEdit, operator, flow.NotificationSending, fsm.ErrNotAllowed},
		"and set back to Registrato":                     {flow.NotificationFailed, flow.CodeRefused, flow.NotificationRegister, operator, flow.NotificationRegistered, nil},
		"the system does not do that":                    {flow.NotificationFailed, flow.CodeRefused, flow.NotificationRegister, system, flow.NotificationFailed, fsm.ErrRole},
		"nor send again by itself":                       {flow.NotificationFailed, flow.CodeRefused, flow.NotificationResend, system, flow.NotificationFailed, fsm.ErrRole},
		"the operator knows it was sent":                 {flow.NotificationFailed, flow.CodeOutcomeUnknown, flow.NotificationConfirm, operator, flow.NotificationSent, nil},
		"or sends it again, knowingly":                   {flow.NotificationFailed, flow.CodeOutcomeUnknown, flow.NotificationResend, operator, flow.NotificationRegistered, nil},
		"what may have arrived is not simply sent again": {flow.NotificationFailed, flow.CodeOutcomeUnknown, flow.NotificationRegister, operator, flow.NotificationFailed, flow.ErrMayHaveArrived},
		"what did not arrive is not confirmed":           {flow.NotificationFailed, flow.CodeRefused, flow.NotificationConfirm, operator, flow.NotificationFailed, flow.ErrOutcomeKnown},
		"the answer comes late":                          {flow.NotificationFailed, flow.CodeOutcomeUnknown, flow.NotificationAccept, system, flow.NotificationSent, nil},
		"but not after one that was known":               {flow.NotificationFailed, flow.CodeRefused, flow.NotificationAccept, system, flow.NotificationFailed, flow.ErrOutcomeKnown},
		"the platform is asked what became of it":        {flow.NotificationSent, "", flow.NotificationVerify, operator, flow.NotificationSent, nil},
		"nor resent as if it might have":                 {flow.NotificationFailed, flow.CodeUnreachable, flow.NotificationResend, operator, flow.NotificationFailed, flow.ErrOutcomeKnown},
	} {
		t.Run(name, func(t *testing.T) {
			n := flow.Notification{State: test.from, Draft: flow.Draft{Subject: flussi.NewText("Oggetto")}, Transmission: flow.Transmission{ErrorCode: test.code}, Version: 3}
			assert.ErrorIs(t, n.Fire(t.Context(), test.action, test.by), test.err)
			assert.Equal(t, test.want, n.State)
			assert.Equal(t, "Oggetto", n.Subject.Reveal())
			assert.EqualValues(t, 3, n.Version)
		})
	}
}

func TestNotificationAllowed(t *testing.T) {
	n := flow.Notification{State: flow.NotificationFailed, Transmission: flow.Transmission{ErrorCode: flow.CodeRefused}}
	assert.Equal(t, []flow.NotificationAction{flow.NotificationEdit, flow.NotificationRegister, flow.NotificationDisable}, n.Allowed(flussi.Operator))
	n.Transmission.ErrorCode = flow.CodeOutcomeUnknown
	assert.Equal(t, []flow.NotificationAction{flow.NotificationConfirm, flow.NotificationResend, flow.NotificationDisable}, n.Allowed(flussi.Operator))
	assert.Equal(t, []flow.NotificationAction{flow.NotificationAccept}, n.Allowed(flussi.System), "an answer that comes late")
	n.Transmission.ErrorCode = flow.CodeRefused
	assert.Equal(t, []flow.NotificationAction{flow.NotificationRelease}, n.Allowed(flussi.System), "if its flow stopped")
	n.Transmission.ErrorCode = flow.CodeUnreachable
	assert.Empty(t, n.Allowed(flussi.System))
}

func TestNotificationFireAsksTheCallersGuards(t *testing.T) {
	refusal := errors.New("disabled")
	n := flow.Notification{State: flow.NotificationRegistered}
	assert.ErrorIs(t, n.Fire(t.Context(), flow.NotificationClaim, system,
		func(context.Context, fsm.Step[flow.NotificationState, flow.NotificationAction]) error { return refusal }), refusal)
	assert.Equal(t, flow.NotificationRegistered, n.State)
}

func TestErrorCodesTellTheOperatorWhatToDo(t *testing.T) {
	for code, want := range map[flow.ErrorCode]string{
		flow.CodeRefused: "correggere i dati", flow.CodeNotPermitted: "Verificare le abilitazioni e i limiti del servizio", flow.CodeUnreachable: "non è su App IO",
		flow.CodeOutcomeUnknown: "potrebbe essere arrivato", flow.CodeInvalid: "non sono validi", flow.CodeNotSent: "nonostante più tentativi", "altro": "altro",
	} {
		assert.Contains(t, code.Italian(), want)
	}
	assert.Empty(t, flow.ErrorCode("").Italian())
}

func TestNotificationMasksItsTextsAndCodes(t *testing.T) {
	n := notification(t)
	leaktest.CheckEntity(t, n,
		`{"id":"`+n.ID.String()+`","flow":"00000000-0000-0000-0000-000000000000","service":"servizio-tributi","state":"registered","error":"","disabled":false,"version":0}`,
		"segreto", "AAAAAA00A00A000A", "301005100001400678")
}
