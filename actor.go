package flussi

import "slices"

// Role (ruolo) is what an [Actor] may act as. A transition of a state machine names
// the roles that may fire it. Applications may add roles of their own.
type Role string

// The roles that the machines of this library know.
const (
	// Operator (operatore) composes, activates and sends the flows of the services
	// that the body enabled them for.
	Operator Role = "operator"
	// System (sistema) is the library itself at work: the dispatcher that sends, and
	// the poll that reads a state from the platform. People do not get this role.
	System Role = "system"
	// Principal (DS, dirigente scolastico) alone approves or rejects a payment event.
	Principal Role = "DS"
	// AdminDirector (DSGA, direttore dei servizi generali e amministrativi) creates,
	// transmits, submits, notifies and deletes payment events.
	AdminDirector Role = "DSGA"
	// AdminAssistant (A.A., assistente amministrativo) does what the AdminDirector does.
	AdminAssistant Role = "AA"
)

// Label returns the Italian name of the role, as the guides write it; for a role
// that this library does not know, its own text.
func (r Role) Label() string {
	switch r {
	case Operator:
		return "operatore"
	case System:
		return "sistema"
	case AdminAssistant:
		return "A.A."
	}
	return string(r)
}

// Actor (operatore, utente) is the user who does something, identified by the calling application.
// The zero Actor has no ID and no role.
type Actor struct {
	ID    string // the user name that goes into audits and histories; not masked
	Roles []Role // what they may act as; must not be changed once the Actor is in use
}

// Has reports whether the actor holds at least one of the roles.
func (a Actor) Has(roles ...Role) bool {
	for _, r := range roles {
		if slices.Contains(a.Roles, r) {
			return true
		}
	}
	return false
}

// Check returns a [*ValueError] with [ErrEmpty] if the actor has no ID: every action needs one.
func (a Actor) Check() error {
	if a.ID == "" {
		return &ValueError{Type: "Actor", Err: ErrEmpty, Reason: "Manca l'utente che esegue l'operazione."}
	}
	return nil
}
