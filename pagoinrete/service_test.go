package pagoinrete_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// The guide's table of the ten operations, cell by cell: the states of the event and of its
// notices when each is over.
var guideOperations = []struct{ number, operation, event, notice string }{
	{"1", "Creazione tassa Nuvola/evento di pagamento (con relative rate)", "Non trasmesso a Pago in Rete", ""},
	{"2", "Trasmissione evento di pagamento a Pago in Rete", "Simulato", ""},
	{"3", "Creazione pagamenti Nuvola", "Simulato", "Non collegato a Pago in Rete"},
	{"4", "Trasmissione avvisi di pagamento a Pago in Rete", "Simulato", "Non pagato (Non notificato)"},
	{"5", "Modifica tassa rendendo l'evento DA APPROVARE", "Da approvare", "Non pagato (Non notificato)"},
	{"6", "Modifica tassa per APPROVAZIONE (o Rifiuto) da parte del DS", "Da notificare", "Non pagato (Non notificato)"},
	{"7", "Modifica tassa per NOTIFICA evento di pagamento", "Notificato", "Non pagato (Notificato)"},
	{"8", "Scarico file .pdf degli avvisi di pagamento", "Notificato", "Non pagato (Notificato)"},
	{"9", "Rendere visibile il pagamento in Area Tutore", "Notificato", "Non pagato (Notificato)"},
	{"10", "Verifica stato avviso di pagamento", "Notificato", "Pagato (Pagato online)"},
}

// operations are the ten calls, in order.
func operations(t *testing.T, w *world) []func(ctx context.Context, e *pagoinrete.Event) error {
	into := func(e *pagoinrete.Event) func(pagoinrete.Event, error) error {
		return func(changed pagoinrete.Event, err error) error {
			if err == nil {
				*e = changed
			}
			return err
		}
	}
	type event = *pagoinrete.Event
	return []func(context.Context, event) error{
		func(ctx context.Context, e event) error {
			return into(e)(w.CreateEvent(ctx, assistant, pagoinrete.Fee, school, trip()))
		},
		func(ctx context.Context, e event) error { return into(e)(w.TransmitEvent(ctx, assistant, e.ID)) },
		func(ctx context.Context, e event) error {
			report, err := w.AddNotices(ctx, assistant, e.ID, pagoinrete.NoticeDraftRows(drafts(3)...), pagoinrete.AddConfig{})
			assert.Equal(t, pagoinrete.AddReport{ImportReport: flussi.ImportReport{Rows: 3}, Notices: 6, Amount: 45_000}, report)
			return err
		},
		func(ctx context.Context, e event) error {
			report, err := w.TransmitNotices(ctx, assistant, e.ID)
			assert.Equal(t, pagoinrete.TransmitReport{Transmitted: 6}, report)
			return err
		},
		func(ctx context.Context, e event) error { return into(e)(w.SubmitEvent(ctx, assistant, e.ID)) },
		func(ctx context.Context, e event) error { return into(e)(w.ApproveEvent(ctx, principal, e.ID)) },
		func(ctx context.Context, e event) error { return into(e)(w.NotifyEvent(ctx, assistant, e.ID)) },
		func(ctx context.Context, e event) error {
			files := 0
			for pdf, err := range w.EventPDFs(ctx, assistant, e.ID) {
				require.NoError(t, err)
				data := must.Get(io.ReadAll(pdf.Body))(t)
				assert.True(t, strings.HasPrefix(string(data), "%PDF-"))
				files++
			}
			assert.Equal(t, 6, files)
			return nil
		},
		func(ctx context.Context, e event) error {
			shown, err := w.ShowEvent(ctx, assistant, e.ID)
			assert.Equal(t, 6, shown)
			return err
		},
		func(ctx context.Context, e event) error {
			for _, n := range w.notices(t, e.ID) {
				require.True(t, w.platform.Pay(n.ID, n.Due()))
			}
			verified, report, err := w.VerifyEvent(ctx, assistant, e.ID)
			assert.Equal(t, pagoinrete.VerifyReport{Asked: 6, Changed: 6}, report)
			return into(e)(verified, err)
		},
	}
}

func TestTheTenOperationsAreTheGuides(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.platform.LogIn(payer(i))
	}
	var e pagoinrete.Event
	for i, operate := range operations(t, w) {
		row := guideOperations[i]
		require.NoError(t, operate(t.Context(), &e), row.operation)
		stored := do(t, assistant, w.Event, e.ID)
		assert.Equal(t, row.event, stored.State.Label(), row.operation)
		states := map[string]bool{}
		for _, n := range w.notices(t, e.ID) {
			states[n.State.Label()] = true
			assert.True(t, pagoinrete.Compatible(stored.State, n.State))
		}
		if row.notice == "" {
			assert.Empty(t, states, row.operation)
		} else {
			assert.Equal(t, map[string]bool{row.notice: true}, states, row.operation)
		}
	}
	for _, n := range w.notices(t, e.ID) {
		assert.Equal(t, "Pagato", n.State.Labels().Macro)
		assert.Equal(t, n.Due(), n.Evidence.Receipt.Amount)
		assert.NotEmpty(t, n.Evidence.Receipt.Reference)
		assert.False(t, n.Number.IsZero())
		assert.NoError(t, n.Number.Check())
		assert.True(t, n.Visible)
		assert.Equal(t, 1, w.platform.Created(n.ID))
		records := do(t, assistant, w.NoticeHistory, n.ID)
		var done []pagoinrete.NoticeAction
		for _, r := range records {
			done = append(done, r.Action)
		}
		assert.Equal(t, []pagoinrete.NoticeAction{pagoinrete.NoticeCreate, pagoinrete.NoticeTransmit, pagoinrete.NoticeNotify, pagoinrete.NoticeShow, pagoinrete.NoticePay}, done)
		assert.Equal(t, "Secondo Pago In Rete, con il passo intermedio «RPT inviata».", records[4].Reason.Reveal())
		receipt := do(t, assistant, w.Receipt, n.ID)
		assert.Equal(t, n.Due(), receipt.Amount)
		assert.Equal(t, pagoinrete.ReceiptPaid, receipt.Outcome)
	}
	records := do(t, principal, w.EventHistory, e.ID)
	var done []string
	for _, r := range records {
		done = append(done, fmt.Sprintf("%s %s %s→%s", r.By, r.Action, r.From, r.To))
	}
	assert.Equal(t, []string{
		"a.bianchi save blank→not_transmitted", "a.bianchi transmit not_transmitted→simulated", "a.bianchi add_notices simulated→simulated",
		"a.bianchi submit simulated→to_approve", "p.russo approve to_approve→to_notify", "a.bianchi notify to_notify→notified",
	}, done)
}

// «Attenzione: questa operazione non va effettuata per gli eventi di tipo Erogazione liberale»
func TestADonationHasNoNotices(t *testing.T) {
	w := newWorld(t)
	e := w.simulated(t, pagoinrete.Donation)
	const says = "Un'erogazione liberale non ha avvisi di pagamento: passare all'operazione successiva."
	refused(t, must.Err(w.AddNotices(t.Context(), assistant, e.ID, pagoinrete.NoticeDraftRows(drafts(1)...), pagoinrete.AddConfig{})), pagoinrete.ErrDonation, says)
	refused(t, must.Err(w.TransmitNotices(t.Context(), assistant, e.ID)), pagoinrete.ErrDonation, says)
	e = do(t, assistant, w.SubmitEvent, e.ID)
	do(t, principal, w.ApproveEvent, e.ID)
	e = do(t, assistant, w.NotifyEvent, e.ID)
	assert.Equal(t, pagoinrete.EventNotified, e.State)
	for _, err := range w.EventPDFs(t.Context(), assistant, e.ID) {
		assert.ErrorIs(t, err, pagoinrete.ErrDonation)
	}
	assert.ErrorIs(t, must.Err(w.ShowEvent(t.Context(), assistant, e.ID)), pagoinrete.ErrDonation)
	_, report, err := w.VerifyEvent(t.Context(), assistant, e.ID)
	require.NoError(t, err)
	assert.Zero(t, report)
	assert.Zero(t, w.platform.Received(restgatewaytest.PutNotice))
}

// «rigettato dal dirigente e in carico alla segreteria che potrà modificarlo prima di inviarlo di
// nuovo in approvazione o che potrà cancellarlo»
func TestARejectedEventIsCorrectedAndSubmittedAgain(t *testing.T) {
	w := newWorld(t)
	e := w.toApprove(t, 2)
	refused(t, must.Err(w.RejectEvent(t.Context(), principal, e.ID, flussi.NewText(" \n"))), flussi.ErrEmpty, "Manca il motivo del rifiuto.")
	why := flussi.NewText("La causale non dice\nquali classi.")
	e = do2(t, principal, w.RejectEvent, e.ID, why)
	assert.Equal(t, pagoinrete.EventRejected, e.State)
	assert.Equal(t, why, e.Rejection)
	there, _ := w.platform.Event(e.ID)
	assert.Equal(t, why, there.Rejection)
	assert.Equal(t, why, last(do(t, assistant, w.EventHistory, e.ID)).Reason)

	assert.ErrorIs(t, must.Err(w.EditEvent(t.Context(), assistant, e.ID, e.Version-1, trip())), flussi.ErrConflict)
	dearer := trip()
	dearer.Amount, dearer.Instalments[1].Amount = 16_000, 6_000
	refused(t, must.Err(w.EditEvent(t.Context(), assistant, e.ID, e.Version, dearer)), pagoinrete.ErrNotices, "L'evento ha già 4 avvisi: per cambiare importi, scadenze o rate occorre prima annullarli.")
	clearer := trip()
	clearer.Causale = "Viaggio a Firenze, 2A e 2B"
	e = must.Get(w.EditEvent(t.Context(), assistant, e.ID, e.Version, clearer))(t)
	assert.Equal(t, clearer.Causale, e.Causale)
	there, _ = w.platform.Event(e.ID)
	assert.Contains(t, there.Request.Reveal(), clearer.Causale, "replaced there too")
	assert.Equal(t, 1, there.Created)

	// Another pupil, whose notices have to be transmitted before.
	w.add(t, e.ID, drafts(3)[2])
	refused(t, must.Err(w.SubmitEvent(t.Context(), assistant, e.ID)), pagoinrete.ErrNotices, "L'evento ha 2 avvisi non ancora trasmessi: trasmetterli o annullarli prima.")
	do(t, director, w.TransmitNotices, e.ID)
	do(t, assistant, w.SubmitEvent, e.ID)
	e = do(t, principal, w.ApproveEvent, e.ID)
	assert.Equal(t, pagoinrete.EventToNotify, e.State)
	assert.True(t, e.Rejection.IsZero())
	assert.Equal(t, pagoinrete.NoticeCounts{Unpaid: 6}, e.Counts)
}

func TestAnEventIsDeletedWithItsNotices(t *testing.T) {
	for _, rejected := range []bool{false, true} {
		w := newWorld(t)
		var e pagoinrete.Event
		if rejected {
			e = w.toApprove(t, 2)
			e = do2(t, principal, w.RejectEvent, e.ID, flussi.NewText("No."))
		} else {
			e = w.simulated(t, pagoinrete.Fee)
		}
		w.add(t, e.ID, drafts(9)[8])
		e = do(t, assistant, w.DeleteEvent, e.ID)
		assert.Equal(t, pagoinrete.EventDeleted, e.State)
		assert.Equal(t, e.Counts.Total(), e.Counts.Cancelled)
		assert.Zero(t, e.Counts.NotCancelled())
		there, _ := w.platform.Event(e.ID)
		assert.Equal(t, restgatewaytest.EventDeleted, there.State)
		for _, n := range w.notices(t, e.ID) {
			if there, is := w.platform.Notice(n.ID); is {
				assert.Equal(t, restgatewaytest.NoticeCancelled, there.State)
			}
		}
		for _, refused := range []func() error{
			func() error { _, err := w.EditEvent(t.Context(), assistant, e.ID, e.Version, trip()); return err },
			func() error { _, err := w.SubmitEvent(t.Context(), assistant, e.ID); return err },
			func() error { _, err := w.TransmitNotices(t.Context(), assistant, e.ID); return err },
			func() error {
				_, err := w.AddNotices(t.Context(), assistant, e.ID, pagoinrete.NoticeDraftRows(drafts(1)...), pagoinrete.AddConfig{})
				return err
			},
		} {
			assert.ErrorIs(t, refused(), fsm.ErrNotAllowed)
		}
	}
}

// Each operation is open to the roles that the guide names, and to no others.
func TestTheRolesAreTheGuides(t *testing.T) {
	office, ds := "DSGA / A.A.", "DS"
	for i, users := range []string{office, office, office, office, office, ds, office, office, office, office} {
		t.Run(guideOperations[i].operation, func(t *testing.T) {
			w := newWorld(t)
			for i := range 3 {
				w.platform.LogIn(payer(i))
			}
			var e pagoinrete.Event
			for _, operate := range operations(t, w)[:i] {
				require.NoError(t, operate(t.Context(), &e))
			}
			for _, by := range []flussi.Actor{assistant, director, principal, system, {ID: assistant.ID}, {ID: assistant.ID, Roles: []flussi.Role{flussi.Operator}}} {
				err := w.as(t, by, i+1, e)
				may := users == ds && by.Has(flussi.Principal) || users == office && by.Has(flussi.AdminDirector, flussi.AdminAssistant)
				if may {
					continue // it is done below and elsewhere
				}
				assert.ErrorIs(t, err, fsm.ErrRole, "%v", by)
				assert.Contains(t, flussi.Explain(err), "è riservata ")
			}
		})
	}
}

// as tries an operation, by its number, as somebody who may not.
func (w *world) as(t *testing.T, by flussi.Actor, number int, e pagoinrete.Event) error {
	if by.Has(flussi.AdminDirector, flussi.AdminAssistant) && number != 6 || by.Has(flussi.Principal) && number == 6 {
		return nil
	}
	var err error
	switch ctx := t.Context(); number {
	case 1:
		_, err = w.CreateEvent(ctx, by, pagoinrete.Fee, school, trip())
	case 2:
		_, err = w.TransmitEvent(ctx, by, e.ID)
	case 3:
		_, err = w.AddNotices(ctx, by, e.ID, pagoinrete.NoticeDraftRows(drafts(1)...), pagoinrete.AddConfig{})
	case 4:
		_, err = w.TransmitNotices(ctx, by, e.ID)
	case 5:
		_, err = w.SubmitEvent(ctx, by, e.ID)
	case 6:
		_, err = w.ApproveEvent(ctx, by, e.ID)
		_, rejected := w.RejectEvent(ctx, by, e.ID, flussi.NewText("No."))
		assert.ErrorIs(t, rejected, fsm.ErrRole)
	case 7:
		_, err = w.NotifyEvent(ctx, by, e.ID)
	case 8:
		for _, err = range w.EventPDFs(ctx, by, e.ID) {
		}
	case 9:
		_, err = w.ShowEvent(ctx, by, e.ID)
	case 10:
		_, _, err = w.VerifyEvent(ctx, by, e.ID)
	}
	after, readErr := w.store.Event(t.Context(), e.ID)
	if number > 1 {
		require.NoError(t, readErr)
		assert.Equal(t, e.State, after.State)
	}
	return err
}

// Whoever is told what may be done instead can do it.
func TestARefusalNamesOnlyWhatMayBeDone(t *testing.T) {
	w := newWorld(t)
	e := w.simulated(t, pagoinrete.Fee)
	_, err := w.TransmitEvent(t.Context(), assistant, e.ID) // which has no notices, and no discrepancy
	assert.Equal(t, "L'azione «Salva e trasmetti l'evento di pagamento a Pago in Rete» non è possibile nello stato «Simulato». "+
		"Azioni possibili: «Crea i pagamenti», «Verifica stato», «Cancella» e «Modifica».", flussi.Explain(err))
	var refused *fsm.TransitionError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []string{"add_notices", "verify", "delete", "edit"}, refused.Allowed)
	_, err = w.ApproveEvent(t.Context(), principal, e.ID)
	assert.Equal(t, "L'azione «Approva l'evento di pagamento su Pago in Rete» non è possibile nello stato «Simulato», "+
		"in cui non ci sono azioni possibili per i ruoli dell'utente.", flussi.Explain(err))

	w.add(t, e.ID, drafts(1)...)
	n := w.notices(t, e.ID)[0]
	_, err = w.VerifyNotice(t.Context(), assistant, n.ID)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []string{"edit", "transmit", "cancel"}, refused.Allowed)
}

// A list shows the buttons that each of its lines would show by itself.
func TestActionsOfAListAreThoseOfItsEventsAndNotices(t *testing.T) {
	w := newWorld(t)
	w.simulated(t, pagoinrete.Fee)
	w.simulated(t, pagoinrete.Donation)
	w.toApprove(t, 1)
	w.notified(t, 2)
	page := do2(t, assistant, w.Events, pagoinrete.EventFilter{}, pagoinrete.Page{})
	require.Len(t, page.Events, 4)
	for _, e := range page.Events {
		for _, by := range []flussi.Actor{assistant, principal, system} {
			wanted := do(t, by, w.EventActions, e.ID)
			assert.Equal(t, wanted, e.Actions(by.Roles...))
			for _, n := range w.notices(t, e.ID) {
				wanted := do(t, by, w.NoticeActions, n.ID)
				assert.Equal(t, wanted, n.Actions(e, by.Roles...))
			}
		}
	}
	assert.Equal(t, []pagoinrete.EventAction{pagoinrete.EventDownload, pagoinrete.EventShow, pagoinrete.EventVerify}, page.Events[0].Actions(director.Roles...))
}

// Where one is left, it is one.
func TestSubmitCountsNoticesNotTransmitted(t *testing.T) {
	w := newWorld(t)
	e := w.simulated(t, pagoinrete.Fee)
	one := drafts(1)[0]
	one.Instalment = 1
	w.add(t, e.ID, one)
	_, err := w.SubmitEvent(t.Context(), assistant, e.ID)
	assert.Equal(t, "L'evento ha 1 avviso non ancora trasmesso: trasmetterlo o annullarlo prima.", flussi.Explain(err))
}

func TestEventAndNoticeActionsFollowTheStates(t *testing.T) {
	w := newWorld(t)
	type actions = []pagoinrete.EventAction
	buttons := func(by flussi.Actor, e uuid.UUID) actions {
		return do(t, by, w.EventActions, e)
	}
	e := must.Get(w.CreateEvent(t.Context(), assistant, pagoinrete.Fee, school, trip()))(t)
	assert.Equal(t, actions{pagoinrete.EventTransmit, pagoinrete.EventVerify, pagoinrete.EventEdit}, buttons(assistant, e.ID))
	assert.Empty(t, buttons(principal, e.ID))
	do(t, assistant, w.TransmitEvent, e.ID)
	assert.Equal(t, actions{pagoinrete.EventAddNotices, pagoinrete.EventVerify, pagoinrete.EventDelete, pagoinrete.EventEdit}, buttons(director, e.ID))
	w.add(t, e.ID, drafts(1)...)
	assert.Contains(t, buttons(assistant, e.ID), pagoinrete.EventTransmitNotices)
	assert.NotContains(t, buttons(assistant, e.ID), pagoinrete.EventSubmit)
	n := w.notices(t, e.ID)[0]
	noticeButtons := do(t, assistant, w.NoticeActions, n.ID)
	assert.Equal(t, []pagoinrete.NoticeAction{pagoinrete.NoticeEdit, pagoinrete.NoticeTransmit, pagoinrete.NoticeCancel}, noticeButtons)
	do(t, assistant, w.TransmitNotices, e.ID)
	assert.Contains(t, buttons(assistant, e.ID), pagoinrete.EventSubmit)
	do(t, assistant, w.SubmitEvent, e.ID)
	assert.Equal(t, actions{pagoinrete.EventVerify}, buttons(assistant, e.ID))
	assert.Equal(t, actions{pagoinrete.EventApprove, pagoinrete.EventReject}, buttons(principal, e.ID))
	noticeButtons = do(t, assistant, w.NoticeActions, n.ID)
	assert.Equal(t, []pagoinrete.NoticeAction{pagoinrete.NoticeVerify}, slices.DeleteFunc(noticeButtons, func(a pagoinrete.NoticeAction) bool { return a == pagoinrete.NoticeHide }))
}

func TestAddPassesRowErrorsThrough(t *testing.T) {
	w := newWorld(t)
	e := w.simulated(t, pagoinrete.Fee)
	cells := &flussi.RowError{Row: 12, Err: errors.New("two cells are not valid")}
	report := must.Get(w.AddNotices(t.Context(), assistant, e.ID, func(yield func(pagoinrete.NoticeRow, error) bool) {
		_ = yield(pagoinrete.NoticeRow{Number: 11, Draft: drafts(1)[0]}, nil) && yield(pagoinrete.NoticeRow{Number: 12}, cells)
	}, pagoinrete.AddConfig{SkipInvalid: true}))(t)
	assert.Equal(t, pagoinrete.AddReport{
		ImportReport: flussi.ImportReport{Rows: 2, Invalid: 1, Errors: []*flussi.RowError{cells}}, Notices: 2, Amount: 15_000,
	}, report)
	assert.Same(t, cells, report.Errors[0])
}

func TestUnpaidNoticeHasNoReceipt(t *testing.T) {
	w := newWorld(t)
	n := w.notifiedNotice(t)
	refused(t, must.Err(w.Receipt(t.Context(), assistant, n.ID)), flussi.ErrRemoteNotFound,
		"L'avviso non ha ancora una ricevuta: non risulta pagato. Eseguire «Verifica stato».")
}
