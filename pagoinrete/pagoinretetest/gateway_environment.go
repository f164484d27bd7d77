package pagoinretetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// GatewayEnvironment is a [pagoinrete.Gateway] to be checked, and what the suite needs of the
// platform behind it: data that the platform accepts, and hooks that do what a gateway cannot do
// itself.
//
// Only Gateway and School are required. Without a hook, the rules that need it are not checked,
// and are reported as such: see [RunGateway] and [CheckGateway]. The hooks LoseReplies,
// Disconnect, CutPDFs, Hang and OpenReplies are about the connection, not about the platform:
// a gateway that speaks HTTP gets them from an [net/http.RoundTripper] of the test, which passes
// requests on and does something else with the replies.
type GatewayEnvironment struct {
	// Gateway is checked. It is the one of School.
	Gateway pagoinrete.Gateway
	// School is a codice meccanografico.
	School string

	// Director (DSGA), Assistant (A.A.) and Principal (DS) are users of the school as SIDI knows
	// them. Each defaults to an actor with an ID of the suite and the one role. The suite also acts
	// as users whom SIDI does not know, who must be refused.
	Director, Assistant, Principal flussi.Actor
	// Account is an IBAN of the school. Defaults to one that is made up.
	Account string
	// Debtors are pupils of the school, for one notice each and then from the first again. Defaults
	// to codes that are made up, with the right check character.
	Debtors []flussi.FiscalCode
	// Payer pays for them. Defaults to a code that is made up.
	Payer flussi.FiscalCode
	// Secrets are texts that no error may show, such as the key and the password of Gateway.
	Secrets []string
	// Timeout is how long a call may take to reach the platform, and to return after its context
	// ended. Only a rule that is not kept takes so long. Defaults to 10 s.
	Timeout time.Duration

	// Unauthorized is a gateway like Gateway, with credentials that the platform does not accept.
	// Optional.
	Unauthorized pagoinrete.Gateway
	// OtherGateway is a gateway like Gateway, of another school. Optional.
	OtherGateway pagoinrete.Gateway

	// LogIn lets Payer register with Pago In Rete, if needed, and log in. Optional.
	LogIn func(ctx context.Context, payer flussi.FiscalCode) error
	// StartPayment lets Payer begin the payment of a notice that is Notificato: the platform sends
	// the payment request (RPT), and has no receipt yet. Optional.
	StartPayment func(ctx context.Context, notice uuid.UUID) error
	// FailPayment lets a payment that was begun come to nothing. Optional.
	FailPayment func(ctx context.Context, notice uuid.UUID) error
	// Pay lets Payer pay online what the platform says that is due for a notice that is
	// Notificato: up to [flussi.MaxPayable]. Optional.
	Pay func(ctx context.Context, notice uuid.UUID) error
	// Count returns how many events or notices the platform has with an ID, by its own records and
	// not through the gateway. Optional.
	Count func(ctx context.Context, id uuid.UUID) (int, error)

	// LoseReplies loses the reply to each call until restore is called: the platform acts on the
	// call, and the gateway gets no answer, or half of one. Optional.
	LoseReplies func() (restore func())
	// Disconnect makes the platform unreachable until restore is called: no call gets there.
	// Optional.
	Disconnect func() (restore func())
	// CutPDFs cuts off each PDF in the middle until restore is called. Optional.
	CutPDFs func() (restore func())
	// Hang lets the platform take calls and never answer, until restore is called, after which no
	// call hangs any more. The channel gets a value for each call that has arrived; sending must
	// not block the platform. Optional.
	Hang func() (arrived <-chan struct{}, restore func())
	// OpenReplies returns how many replies were given to the gateway that it has not closed, such
	// as bodies of HTTP responses. Optional.
	OpenReplies func() int
}

// errEnvironment is the error of an environment that lacks what is required.
var errEnvironment = errors.New("the environment has no Gateway or no School")

// complete returns the environment with its defaults.
func (e GatewayEnvironment) complete() (GatewayEnvironment, error) {
	if e.Gateway == nil || e.School == "" {
		return e, fmt.Errorf("pagoinretetest: %w: %w", flussi.ErrConfig, errEnvironment)
	}
	for _, user := range []struct {
		actor *flussi.Actor
		role  flussi.Role
	}{{&e.Director, flussi.AdminDirector}, {&e.Assistant, flussi.AdminAssistant}, {&e.Principal, flussi.Principal}} {
		if user.actor.ID == "" {
			*user.actor = flussi.Actor{ID: "suite-" + string(user.role), Roles: []flussi.Role{user.role}}
		}
	}
	if e.Account == "" {
		e.Account = "IT60X0542811101000000123456"
	}
	if len(e.Debtors) == 0 {
		for i := range 20 {
			e.Debtors = append(e.Debtors, madeUpCode("RSSMRA", i))
		}
	}
	if e.Payer.IsZero() {
		e.Payer = madeUpCode("VRDGPP", 0)
	}
	if e.Timeout <= 0 {
		e.Timeout = 10 * time.Second
	}
	return e, nil
}

// madeUpCode returns a fiscal code with the right check character, of somebody born in Rome in
// 1980.
func madeUpCode(name string, number int) flussi.FiscalCode {
	for check := 'A'; check <= 'Z'; check++ {
		code, err := flussi.ParseFiscalCode(fmt.Sprintf("%s80A%02dH501%c", name, 1+number%28, check))
		if err == nil && code.Check() == nil {
			return code
		}
	}
	panic("pagoinretetest: no check character fits")
}
