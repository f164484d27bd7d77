package flow_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

func TestNothingToSendSaysThatAllWasSent(t *testing.T) {
	const (
		all      = flow.MaxPage + 1
		allSent  = "Tutti i messaggi del flusso sono già stati inviati ai cittadini, e non si inviano di nuovo. Se si tratta di un nuovo invio, importarli con un'altra occasione."
		disabled = "Tutte le notifiche del flusso sono disabilitate. Se ripetono messaggi già inviati, importarle con un'altra occasione; altrimenti riabilitarle."
		failed   = "Il flusso non ha notifiche nello stato «Registrato»: correggere quelle nello stato «Errore», riportarle a «Registrato» e ripetere «Invia Flusso»."
		nothing  = "Il flusso non ha notifiche da inviare: importarle prima."
	)
	inWorld(t, func(t *testing.T, w *world) {
		says := func(want string, call func(context.Context, flussi.Actor, uuid.UUID) (flow.Flow, error), id uuid.UUID) {
			t.Helper()
			_, err := call(t.Context(), operator, id)
			require.ErrorIs(t, err, flow.ErrNothingToSend)
			assert.Equal(t, want, flussi.Explain(err))
		}
		again := func(rows ...flow.Draft) uuid.UUID {
			f := w.created(t)
			w.add(t, f.ID, rows...)
			return f.ID
		}
		first := w.sending(t, all)
		waiting := again(drafts(3)...)
		says(disabled, w.ActivateFlow, waiting) // the others are not sent yet
		w.dispatch(t, first.ID)

		says(nothing, w.ActivateFlow, w.created(t).ID)
		says(allSent, w.ActivateFlow, waiting)
		whole := again(drafts(all)...)
		says(allSent, w.ActivateFlow, whole)
		mixed := again(append(drafts(all), draft(all))...)
		for _, n := range w.notifications(t, mixed) {
			if !n.Disabled { // the message that is new
				do(t, w.DisableNotification, n.ID)
			}
		}
		says(disabled, w.ActivateFlow, mixed)

		enabled := again(drafts(2)...)
		for _, n := range w.notifications(t, enabled) {
			do(t, w.EnableNotification, n.ID)
		}
		w.ordered(t, enabled)
		w.dispatch(t, enabled) // Errore, since the citizens have the messages
		says(allSent, w.SendFlow, enabled)

		refused := again(draft(all + 1))
		w.ordered(t, refused)
		w.run(t, refused, refusal)
		says(failed, w.SendFlow, refused)
		other := again(draft(all + 1))
		w.ordered(t, other)
		w.dispatch(t, other)
		says(allSent, w.SendFlow, refused)
	}, unlimited)
}
