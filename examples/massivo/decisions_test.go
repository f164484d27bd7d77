package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// lossy is a store that loses its connection during a write. The write may be stored or not.
type lossy struct {
	flow.Store
	writes bool
	hides  bool // Imported does not find the import
}

func (l lossy) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	if l.writes {
		if done, before, err := l.Store.SaveImport(ctx, i); err != nil {
			return done, before, err
		}
	} else {
		for _, err := range i.Rows {
			if err != nil {
				return flow.ImportResult{}, false, err
			}
		}
	}
	return flow.ImportResult{}, false, flussi.ErrCommitUnknown
}

func (l lossy) ImportResult(ctx context.Context, key flow.ImportKey) (flow.ImportResult, error) {
	if l.hides {
		return flow.ImportResult{}, flussi.ErrNotFound
	}
	return l.Store.ImportResult(ctx, key)
}

func (l lossy) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	if l.writes {
		if err := l.Store.SaveNotifications(ctx, changes...); err != nil {
			return err
		}
	}
	return flussi.ErrCommitUnknown
}

// on runs a function on the database of the office through a store that loses its connection, and
// returns the output.
func (l lossy) on(t *testing.T, o *office, do func(*session) error) (string, error) {
	t.Helper()
	var said bytes.Buffer
	var done error
	o.within(t, func(s *session) {
		l.Store = s.store
		s.out = &said
		s.Service = must.Get(flow.NewService(l, flow.Permissions{s.by.ID: {sandboxService}}, s.messengers, flow.ServiceConfig{}))(t)
		done = do(s)
	})
	return said.String(), done
}

// The answer to the COMMIT of an import is lost. The output is true, and a second run imports
// nothing twice.
func TestImportReportsLostAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		store lossy
		says  string
		fails bool
	}{
		"made, and found":     {lossy{writes: true}, "Importate 4 notifiche nel flusso ", false},
		"made, and not found": {lossy{writes: true, hides: true}, "Non si sa se le righe siano state importate. Ripetere lo stesso comando", true},
		"not made":            {lossy{}, "Non si sa se le righe siano state importate. Ripetere lo stesso comando", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			file := o.workbook(t, 0, 4)
			said, err := test.store.on(t, o, func(s *session) error {
				_, err := s.importFile(t.Context(), file, importing{})
				return err
			})
			assert.Equal(t, test.fails, err != nil)
			assert.Contains(t, said, test.says)
			assert.NotContains(t, said, "Non è stato importato niente")
			if test.fails {
				assert.Contains(t, flussi.Explain(err), "non si sa se siano state registrate")
			}
			for range 2 {
				o.ran(t, 0, "import", file)
			}
			o.ran(t, 0, "send")
			o.delivered(t, 4, 1)
		})
	}
}

// A decision whose answer is lost is not reported as refused, and can be repeated.
func TestResolveReportsLostAnswer(t *testing.T) {
	for _, writes := range []bool{true, false} {
		t.Run(fmt.Sprint("written: ", writes), func(t *testing.T) {
			o := newOffice(t)
			one := inErrore(newNotification(t, 1, uuid.Nil, time.Now()), flow.CodeOutcomeUnknown)
			two := inErrore(newNotification(t, 2, uuid.Nil, time.Now()), flow.CodeOutcomeUnknown)
			o.keep(t, nil, []flow.Notification{one, two})
			said, err := lossy{writes: writes}.on(t, o, func(s *session) error {
				return s.resolveNamed(t.Context(), []string{one.ID.String()}, resolving{sent: true, reason: "arrivata"})
			})
			require.ErrorIs(t, err, flussi.ErrCommitUnknown)
			assert.Contains(t, said, "Per altre notifiche non si sa se la decisione sia stata registrata: ripetere il comando")
			said = o.ran(t, 0, "resolve", one.ID.String(), two.ID.String(), "--sent", "--reason", "arrivata")
			assert.Equal(t, writes, strings.Contains(said, "La notifica "+one.ID.String()+" è già confermata come inviata."))
			for _, n := range []flow.Notification{one, two} {
				state, _ := o.state(t, n.ID)
				assert.Equal(t, flow.NotificationSent, state)
			}
		})
	}
}

// The output at the end of a sending matches the reason why it ended.
func TestSendReportsHowItEnded(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx  context.Context
		err  error
		code int
		says string
	}{
		"interrupted":                           {ended, context.Canceled, cli.Interrupted, "Invio interrotto. Notifiche inviate: 3. Notifiche da inviare: 2. Niente è andato perso.\nPer riprendere: massivo send "},
		"interrupted, outcomes not stored":      {ended, &flussi.Error{Err: flow.ErrOutcomeNotStored}, 0, "Non si sa se l'invio sia finito, perché l'archivio non ha risposto."},
		"interrupted in the middle of a commit": {ended, &flussi.Error{Err: flussi.ErrCommitUnknown}, 0, "Non si sa se l'invio sia finito"},
		"not known":                             {t.Context(), &flussi.Error{Err: flussi.ErrCommitUnknown}, 0, "Non si sa se l'invio sia finito"},
		"stopped":                               {t.Context(), &flow.StopError{Reason: "Invio fermato."}, exitStopped, "Notifiche ancora da inviare: 2"},
		"another failure":                       {t.Context(), &flussi.Error{Err: flussi.ErrNotFound}, 0, "L'invio non è finito. Per riprendere: massivo send "},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := ending(t, test.ctx, flow.Flow{Counts: flow.Counts{Sent: 3, Registered: 2}}, test.err, test.code)
			assert.Contains(t, said, test.says)
			if test.code == 0 {
				require.ErrorIs(t, err, test.err)
			}
		})
	}
}

// ending returns the output and the error at the end of a sending, which must be an exit with the
// code if that is not 0.
func ending(t *testing.T, ctx context.Context, f flow.Flow, sending error, code int) (string, error) {
	var said bytes.Buffer
	s := &session{program: &program{out: &said}}
	err := s.outcome(ctx, f, sending)
	if code != 0 {
		exit := must.As[*cli.Exit](t, err)
		assert.Equal(t, code, exit.Code)
	}
	return said.String(), err
}

// A sending that ends without an error is not over if something is left: an operator disabled the
// flow, or another program stopped it. A Ctrl-C at its very end interrupts nothing.
func TestSendReportsWhatIsLeft(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx  context.Context
		flow flow.Flow
		code int
		says string
	}{
		"disabled meanwhile":        {t.Context(), flow.Flow{State: flow.FlowIncomplete, Disabled: true, Error: "Invio fermato.", Counts: flow.Counts{Sent: 3, Registered: 2}}, exitStopped, "Invio fermato.\nNiente è andato perso. Notifiche ancora da inviare: 2. Il flusso è disabilitato. Per riabilitarlo: massivo enable "},
		"stopped by another":        {t.Context(), flow.Flow{State: flow.FlowIncomplete, Error: "Invio fermato.", Counts: flow.Counts{Sent: 3, Registered: 2}}, exitStopped, "Invio fermato.\nNiente è andato perso. Notifiche ancora da inviare: 2. Risolta la causa, per riprendere: massivo send "},
		"sent, and then a Ctrl-C":   {ended, flow.Flow{State: flow.FlowSent, Counts: flow.Counts{Sent: 3}}, 0, ": Inviato\n"},
		"all sent":                  {t.Context(), flow.Flow{State: flow.FlowSent, Counts: flow.Counts{Sent: 3}}, 0, ": Inviato\n"},
		"disabled after everything": {t.Context(), flow.Flow{State: flow.FlowSent, Disabled: true, Counts: flow.Counts{Sent: 3}}, 0, ": Inviato, disabilitato\n"},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := ending(t, test.ctx, test.flow, nil, test.code)
			assert.Contains(t, said, test.says)
			assert.NotContains(t, said, "interrotto")
			if test.code == 0 {
				require.NoError(t, err)
			}
		})
	}
}

// All unknown outcomes of a flow, or of the service, are decided by one call with one reason.
func TestResolveAllUnknownOutcomes(t *testing.T) {
	for name, test := range map[string]struct {
		all   bool
		sent  bool
		state flow.NotificationState
	}{
		"a flow, sent":        {false, true, flow.NotificationSent},
		"a flow, again":       {false, false, flow.NotificationRegistered},
		"the service, sent":   {true, true, flow.NotificationSent},
		"the service, resent": {true, false, flow.NotificationRegistered},
	} {
		t.Run(name, func(t *testing.T) {
			o, flows, in := failing(t, flow.CodeOutcomeUnknown, flow.CodeRefused, flow.CodeOutcomeUnknown)
			args := []string{"resolve", "--reason", "la piattaforma era ferma"}
			if args = append(args, "--flow", flows[0].ID.String()); test.all {
				args = append(args[:3], "--all")
			}
			if test.sent {
				args = append(args, "--sent")
			} else {
				args = append(args, "--resend")
			}
			said := o.ran(t, 0, args...)
			decided := map[bool]string{true: "Decisioni registrate: 4 di 4.", false: "Decisioni registrate: 2 di 2."}[test.all]
			assert.Contains(t, said, decided)
			for i, f := range flows {
				assert.Equal(t, !test.sent && (i == 0 || test.all), strings.Contains(said, "Per inviarle: massivo send "+f.ID.String()))
				for j, n := range in[f.ID] {
					state, _ := o.state(t, n.ID)
					assert.Equal(t, j != 1 && (i == 0 || test.all), state == test.state)
				}
			}
			assert.Contains(t, o.ran(t, 0, "history", in[flows[0].ID][0].ID.String()), "la piattaforma era ferma")
			said = o.ran(t, 0, args...)
			assert.Contains(t, said, "Nessuna notifica a esito sconosciuto su cui decidere.", "run again")
		})
	}
	o, flows, _ := failing(t, flow.CodeOutcomeUnknown)
	assert.Contains(t, o.ran(t, cli.Usage, "resolve", "--sent", "--reason", "x"), "oppure --all per tutte")
	o.ran(t, cli.Usage, "resolve", "--sent", "--reason", "x", "--all", "--flow", flows[0].ID.String())
	o.ran(t, cli.Usage, "resolve", "--sent", "--reason", "x", "--all", flows[0].ID.String())
}

// A decision that stands is no error when it is ordered again; one that would be another is.
func TestResolveAgainIsNoErrorWhileTheDecisionStands(t *testing.T) {
	o, flows, in := failing(t, flow.CodeOutcomeUnknown, flow.CodeOutcomeUnknown, flow.CodeRefused, flow.CodeAlreadySent)
	f := flows[0].ID.String()
	var ids []string
	for _, n := range in[flows[0].ID] {
		ids = append(ids, n.ID.String())
	}
	decide := func(code int, how string, ids ...string) string {
		t.Helper()
		return o.ran(t, code, append([]string{"resolve", "--reason", "deciso", how}, ids...)...)
	}
	sent, back, refused, repeat := ids[0], ids[1], ids[2], ids[3]
	decide(0, "--sent", sent)
	decide(0, "--resend", back)
	decide(0, "--resend", repeat)
	records := strings.Count(o.ran(t, 0, "history", sent), "deciso")
	for range 2 {
		assert.Equal(t, "La notifica "+sent+" è già confermata come inviata.\n", decide(0, "--sent", sent))
		assert.Equal(t, "La notifica "+back+" è già riportata a «Registrato».\nPer inviarle: massivo send "+f+"\n", decide(0, "--resend", back))
		decide(0, "--resend", back, repeat)
		assert.Contains(t, decide(cli.Failure, "--resend", sent), "è noto («Inviato»): non c'è niente da decidere.")
		assert.Contains(t, decide(cli.Failure, "--sent", back), "è ancora da inviare: non c'è niente da decidere.")
		assert.Contains(t, o.ran(t, cli.Failure, "resolve", sent), "è noto («Inviato»)")
	}
	assert.Equal(t, records, strings.Count(o.ran(t, 0, "history", sent), "deciso"), "nothing is recorded again")

	// Of several, the open ones are decided, and those that cannot be are reported.
	other := in[flows[1].ID][0].ID.String()
	said := decide(cli.Failure, "--sent", sent, refused, other)
	must.Contain(t, said, "è noto («Rifiutata»): non c'è niente da decidere.", "Decisioni registrate: 1 di 1.", "Notifiche su cui non si è deciso: 1.")
	decide(0, "--sent", sent, other)

	// A disabled notification is not sent.
	o.ran(t, 0, "disable", back)
	assert.Contains(t, decide(cli.Failure, "--resend", back), "La notifica "+back+" è disabilitata, e non si invia: non c'è niente da decidere.")
	o.ran(t, 0, "enable", back)

	// After the sending, an order to send again would be another one.
	o.ran(t, exitIncomplete, "send", f)
	assert.Contains(t, decide(cli.Failure, "--resend", back), "è noto («Inviato»)")
	assert.Contains(t, decide(cli.Failure, "--sent", back), "è noto («Inviato»)")
	assert.Len(t, o.platform.Deliveries(), 2)
}

// Given back by a dispatcher that did not send it, a notification is still as the operator ordered.
func TestResolveAgainAfterARelease(t *testing.T) {
	o, flows, in := failing(t, flow.CodeOutcomeUnknown)
	id := in[flows[0].ID][0].ID
	o.ran(t, 0, "resolve", id.String(), "--resend", "--reason", "deciso")
	o.platform.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Unauthorized})
	o.ran(t, exitStopped, "send", flows[0].ID.String())
	require.Contains(t, o.ran(t, 0, "history", id.String()), "Restituzione: non inviata")
	assert.Contains(t, o.ran(t, 0, "resolve", id.String(), "--resend", "--reason", "deciso"), "è già riportata a «Registrato».")
}

// Notifications of a disabled flow are not decided, and their flow is not advised to be sent.
func TestResolveReportsSkippedNotifications(t *testing.T) {
	o, flows, in := failing(t, flow.CodeOutcomeUnknown)
	o.ran(t, 0, "disable", flows[0].ID.String())
	for i, decided := range []string{"1 di 2", "0 di 1"} {
		said := o.ran(t, cli.Failure, "resolve", "--all", "--resend", "--reason", "deciso")
		must.Contain(t, said, "Decisioni registrate: "+decided+".", "Notifiche su cui non si è deciso, perché modificate nello stesso momento o di un flusso disabilitato: 1.")
		assert.NotContains(t, said, "massivo send "+flows[0].ID.String())
		assert.Equal(t, i == 0, strings.Contains(said, "massivo send "+flows[1].ID.String()))
	}
	o.ran(t, 0, "enable", flows[0].ID.String())
	o.ran(t, 0, "disable", in[flows[0].ID][0].ID.String())
	assert.Contains(t, o.ran(t, 0, "resolve"), "Nessuna notifica a esito sconosciuto su cui decidere.", "one is disabled")
}

// What is disabled, or enabled, is so after the same command.
func TestDisableAndEnableAgainAreNoErrors(t *testing.T) {
	o, flows, in := failing(t, flow.CodeRefused)
	f, n := flows[0].ID.String(), in[flows[0].ID][0].ID.String()
	for _, step := range []struct {
		command, id, done, already string
	}{
		{"disable", n, "Disabilitata la notifica " + n + ".\n", "La notifica " + n + " è già disabilitata.\n"},
		{"enable", n, "Riabilitata la notifica " + n + ".\n", "La notifica " + n + " non è disabilitata.\n"},
		{"disable", f, "Disabilitato il flusso " + f + ".\n", "Il flusso " + f + " è già disabilitato.\n"},
		{"enable", f, "Riabilitato il flusso " + f + ".\n", "Il flusso " + f + " non è disabilitato.\n"},
	} {
		assert.Equal(t, step.done, o.ran(t, 0, step.command, step.id))
		before := o.ran(t, 0, "history", step.id)
		for range 2 {
			assert.Equal(t, step.already, o.ran(t, 0, step.command, step.id))
		}
		assert.Equal(t, before, o.ran(t, 0, "history", step.id), "nothing is recorded again")
	}

	// The flag of the flow is not that of the notification.
	o.ran(t, 0, "disable", f)
	for _, command := range []string{"disable", "enable"} {
		assert.Contains(t, o.ran(t, cli.Failure, command, n), "riabilitarlo prima", "the flow")
	}
	for _, command := range []string{"disable", "enable"} {
		assert.Contains(t, o.ran(t, cli.Failure, command, uuid.NewString()), "Flusso o notifica inesistente")
	}
}

// The state of a notification decides which reason is printed when it needs no decision.
func TestResolveExplainsWhyNothingIsToDecide(t *testing.T) {
	o := newOffice(t)
	registered := newNotification(t, 1, uuid.Nil, time.Now())
	sending, sent, refused := newNotification(t, 2, uuid.Nil, time.Now()), newNotification(t, 3, uuid.Nil, time.Now()), inErrore(newNotification(t, 4, uuid.Nil, time.Now()), flow.CodeRefused)
	sending.State, sent.State = flow.NotificationSending, flow.NotificationSent
	o.keep(t, nil, []flow.Notification{registered, sending, sent, refused})
	for want, n := range map[string]flow.Notification{
		"è ancora da inviare: non c'è niente da decidere.": registered, "è in corso di invio: attendere l'esito.": sending,
		"L'esito della notifica " + sent.ID.String() + " è noto": sent, "L'esito della notifica " + refused.ID.String() + " è noto": refused,
	} {
		assert.Contains(t, o.ran(t, cli.Failure, "resolve", n.ID.String(), "--sent", "--reason", "x"), want)
	}
}
