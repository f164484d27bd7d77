package pagoinrete_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
)

var (
	director  = flussi.Actor{ID: "l.verdi", Roles: []flussi.Role{flussi.AdminDirector}}
	assistant = flussi.Actor{ID: "a.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}}
	principal = flussi.Actor{ID: "p.russo", Roles: []flussi.Role{flussi.Principal}}
	system    = flussi.Actor{ID: "verifica", Roles: []flussi.Role{flussi.System}}
)

// The guide's table of event states: initial state, action, final state, and the
// SIDI users. The first row has no SIDI user, since nothing reaches SIDI yet: the
// office saves.
var guideEvents = []struct{ from, action, to, users string }{
	{"(vuoto)", "Salva", "Non trasmesso a Pago in Rete", ""},
	{"Non trasmesso a Pago in Rete", "Salva e trasmetti l'evento di pagamento a Pago in Rete", "Simulato", "DSGA / A.A."},
	{"Simulato", `Rendi l'evento "da approvare" dal DS su Pago in Rete`, "Da approvare", "DSGA / A.A."},
	{"Da approvare", "Approva l'evento di pagamento su Pago in Rete", "Da notificare", "DS"},
	{"Da approvare", "Rifiuta l'evento di pagamento su Pago in Rete", "Rifiutato", "DS"},
	{"Da notificare", "Notifica l'evento di pagamento su Pago in Rete", "Notificato", "DSGA / A.A."},
}

// What the guide's descriptions add to the table: the office edits what it holds and
// transmitted or not, cancels what is Simulato or Rifiutato, and may submit again
// what was rejected.
var describedEvents = []struct{ from, action, to, users string }{
	{"Non trasmesso a Pago in Rete", "Modifica", "Non trasmesso a Pago in Rete", "DSGA / A.A."},
	{"Simulato", "Modifica", "Simulato", "DSGA / A.A."},
	{"Simulato", "Cancella", "Cancellato", "DSGA / A.A."},
	{"Rifiutato", "Modifica", "Rifiutato", "DSGA / A.A."},
	{"Rifiutato", "Cancella", "Cancellato", "DSGA / A.A."},
	{"Rifiutato", `Rendi l'evento "da approvare" dal DS su Pago in Rete`, "Da approvare", "DSGA / A.A."},
}

// What may be done without leaving a state: the other operations of the guide, where its
// table of the ten operations has them, and what goes with discrepancies.
var withinEvents = map[string]struct {
	users  string
	states []string
}{
	"Crea i pagamenti": {"DSGA / A.A.", []string{"Simulato", "Rifiutato"}},
	"Trasmetti gli avvisi di pagamento a Pago in Rete": {"DSGA / A.A.", []string{"Simulato", "Rifiutato"}},
	"Scarica i file .pdf degli avvisi di pagamento":    {"DSGA / A.A.", []string{"Notificato"}},
	"Rendi visibile il pagamento in Area Tutore":       {"DSGA / A.A.", []string{"Notificato"}},
	"Verifica stato":                  {"DSGA / A.A.", []string{"Non trasmesso a Pago in Rete", "Simulato", "Da approvare", "Da notificare", "Rifiutato", "Notificato"}},
	"Archivia la discrepanza":         {"DSGA / A.A.", []string{"Simulato", "Da approvare", "Da notificare", "Rifiutato", "Notificato", "Cancellato"}},
	"Segnalazione di una discrepanza": {"sistema", []string{"Simulato", "Da approvare", "Da notificare", "Rifiutato", "Notificato", "Cancellato"}},
}

func TestTheEventMachineIsTheGuides(t *testing.T) {
	type row struct{ from, action, to, users string }
	var want []row
	for action, r := range withinEvents {
		for _, state := range r.states {
			want = append(want, row{state, action, state, r.users})
		}
	}
	for _, r := range slices.Concat(guideEvents, describedEvents) {
		if r.users == "" {
			r.users = "DSGA / A.A."
		}
		want = append(want, row(r))
	}
	var got []row
	for _, r := range pagoinrete.EventMachine().Transitions() {
		var users []string
		for _, role := range r.Roles {
			users = append(users, role.Label())
		}
		for _, from := range r.From {
			got = append(got, row{from.Label(), r.Event.Label(), r.To.Label(), strings.Join(users, " / ")})
		}
	}
	assert.ElementsMatch(t, want, got)
}

// «Lo stato Rifiutato è equivalente allo stato Simulato»
func TestRejectedAllowsWhatSimulatedAllows(t *testing.T) {
	m := pagoinrete.EventMachine()
	for _, role := range []flussi.Role{flussi.AdminDirector, flussi.AdminAssistant, flussi.Principal} {
		assert.Equal(t, m.Allowed(pagoinrete.EventSimulated, role), m.Allowed(pagoinrete.EventRejected, role))
	}
}

func TestEventTransitions(t *testing.T) {
	e := must.Get(pagoinrete.NewEvent(pagoinrete.Fee, "RMIC8GA002", assistant))(t)
	assert.Equal(t, uuid.Version(7), e.ID.Version())
	assert.False(t, e.CreatedAt.IsZero())
	assert.Equal(t, pagoinrete.Event{
		ID: e.ID, Kind: pagoinrete.Fee, School: "RMIC8GA002", State: pagoinrete.EventBlank,
		CreatedAt: e.CreatedAt, UpdatedAt: e.CreatedAt, UpdatedBy: "a.bianchi",
	}, e)
	assert.Equal(t, "(vuoto)", e.State.Label())
	for _, step := range []struct {
		action pagoinrete.EventAction
		by     flussi.Actor
		err    error
		want   string
	}{
		{pagoinrete.EventTransmit, assistant, fsm.ErrNotAllowed, "(vuoto)"},
		{pagoinrete.EventSave, principal, fsm.ErrRole, "(vuoto)"},
		{pagoinrete.EventSave, assistant, nil, "Non trasmesso a Pago in Rete"},
		{pagoinrete.EventDelete, assistant, fsm.ErrNotAllowed, "Non trasmesso a Pago in Rete"},
		{pagoinrete.EventTransmit, director, nil, "Simulato"},
		{pagoinrete.EventApprove, principal, fsm.ErrNotAllowed, "Simulato"},
		{pagoinrete.EventSubmit, principal, fsm.ErrRole, "Simulato"},
		{pagoinrete.EventSubmit, assistant, nil, "Da approvare"},
		{pagoinrete.EventEdit, assistant, fsm.ErrNotAllowed, "Da approvare"},
		{pagoinrete.EventApprove, director, fsm.ErrRole, "Da approvare"},
		{pagoinrete.EventReject, principal, nil, "Rifiutato"},
		{pagoinrete.EventEdit, director, nil, "Rifiutato"},
		{pagoinrete.EventSubmit, director, nil, "Da approvare"},
		{pagoinrete.EventApprove, principal, nil, "Da notificare"},
		{pagoinrete.EventDelete, director, fsm.ErrNotAllowed, "Da notificare"},
		{pagoinrete.EventNotify, principal, fsm.ErrRole, "Da notificare"},
		{pagoinrete.EventNotify, assistant, nil, "Notificato"},
		{pagoinrete.EventEdit, director, fsm.ErrNotAllowed, "Notificato"},
		{pagoinrete.EventDelete, director, fsm.ErrNotAllowed, "Notificato"},
	} {
		assert.ErrorIs(t, e.Fire(t.Context(), step.action, step.by), step.err, "%s by %s", step.action, step.by.ID)
		assert.Equal(t, step.want, e.State.Label(), "%s by %s", step.action, step.by.ID)
	}
	assert.Equal(t, []pagoinrete.EventAction{pagoinrete.EventDownload, pagoinrete.EventShow, pagoinrete.EventVerify, pagoinrete.EventResolveDiscrepancy},
		e.Allowed(flussi.AdminDirector, flussi.AdminAssistant, flussi.Principal), "nothing leads out of Notificato")
}

func TestNewEventRefuses(t *testing.T) {
	refused(t, must.Err(pagoinrete.NewEvent(pagoinrete.Fee, "", assistant)), flussi.ErrEmpty, "Manca il codice meccanografico della scuola.")
	for school, want := range map[string]error{
		"RMIC8GA00": flussi.ErrLength, "RMIC8GA0022": flussi.ErrLength, "rmic8ga002": flussi.ErrCharacter, "RMIC8GA 02": flussi.ErrCharacter,
	} {
		_, err := pagoinrete.NewEvent(pagoinrete.Fee, school, assistant)
		assert.ErrorIs(t, err, want)
		assert.Contains(t, flussi.Explain(err), "codice meccanografico")
	}
	_, err := pagoinrete.NewEvent("tassa", "RMIC8GA002", assistant)
	assert.ErrorIs(t, err, flussi.ErrRange)
	assert.Contains(t, flussi.Explain(err), "erogazione liberale")
	assert.ErrorIs(t, must.Err(pagoinrete.NewEvent(pagoinrete.Donation, "RMIC8GA002", flussi.Actor{})), flussi.ErrEmpty)
}

func TestEventMasksItsTexts(t *testing.T) {
	e := pagoinrete.Event{State: pagoinrete.EventSimulated, EventData: pagoinrete.EventData{Name: "Gita di Rossi", Causale: "Gita di Rossi"}}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "event", e, "pointer", &e)
	line := `{"id":"00000000-0000-0000-0000-000000000000","kind":"","school":"","state":"simulated","version":0}`
	assert.Contains(t, log.String(), `"event":`+line+`,"pointer":`+line)
}
