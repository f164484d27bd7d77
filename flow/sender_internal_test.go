package flow

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/sampletest"
)

// The breaker stops with the refusal that is one too many, and with no other: one of several
// recipients, with no message accepted in between. What was refused while the last accepted message
// was under way is set back, too.
func TestBreakerStopsAtTheRefusalThreshold(t *testing.T) {
	type entry struct {
		id      uuid.UUID
		kind    refusal
		outcome int
	}
	kinds := []refusal{
		{"submit message", 403, "", "Forbidden"}, {"submit message", 403, "", "Other"}, {"submit message", 400, "", "Forbidden"}, {"get profile", 403, "", "Forbidden"},
	}
	stops := 0
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 2))
		config := DispatcherConfig{RefusalThreshold: 1 + random.IntN(6), FailureThreshold: 1000, MaxRetryAfter: time.Hour}
		b := newBreaker(uuid.Nil, &config)
		var open []entry // refused, and nothing was accepted that was begun later
		counts := map[refusal]map[flussi.FiscalCode]bool{}
		var stopped *refusal
		workers := 1 + random.IntN(4)
		for outcomes := range 80 {
			n := Notification{ID: uuid.New(), Version: 2, State: NotificationSending, Draft: Draft{Recipient: sampletest.FiscalCode(random.IntN(12))}}
			n.Transmission.StoppedFlow = random.IntN(6) == 0
			begun := max(0, outcomes-random.IntN(workers))
			o := outcome{action: NotificationFail, code: CodeNotPermitted, signal: refusedMessage, refusal: kinds[random.IntN(len(kinds))]}
			switch random.IntN(8) {
			case 0:
				o = outcome{action: NotificationAccept, signal: accepted}
				clear(counts)
				open = slices.DeleteFunc(open, func(e entry) bool {
					return e.outcome <= begun && (stopped == nil || e.kind != *stopped)
				})
			case 1:
				o = outcome{action: NotificationFail, code: CodeOutcomeUnknown, signal: platformFailed}
			case 2:
				o = outcome{action: NotificationFail, code: CodeUnreachable}
			default:
				if n.Transmission.StoppedFlow {
					break
				}
				open = append(open, entry{n.ID, o.refusal, outcomes + 1})
				if counts[o.refusal] == nil {
					counts[o.refusal] = map[flussi.FiscalCode]bool{}
				}
				counts[o.refusal][n.Recipient] = true
				if stopped == nil && len(counts[o.refusal]) >= config.RefusalThreshold {
					stopped = &o.refusal
					stops++
				}
			}
			require.Equal(t, o.action, b.decide(&n, o, begun, false).action)
			require.Equal(t, stopped != nil, b.stopped() != nil)
			require.Equal(t, stopped == nil, b.mayBegin(t.Context()))
		}
		var want, taken []uuid.UUID
		for _, e := range open {
			if stopped != nil && e.kind == *stopped {
				want = append(want, e.id)
			}
		}
		for _, r := range b.takeBack(false) {
			taken = append(taken, r.id)
		}
		require.Equal(t, want, taken)
		require.Empty(t, b.takeBack(false))
	}
	assert.Greater(t, stops, 300)
}

// All texts of a stop, with and without the platform's words.
func TestStopReasonsAreWholeSentences(t *testing.T) {
	said := flussi.NewText("Bad Request: Too much (HTTP 400)")
	key := &flussi.RemoteError{Reason: "App IO non accetta la chiave: verificarla."}
	const advice = " Le notifiche rifiutate tornano nello stato «Registrato». Verificare le abilitazioni e i limiti del servizio, poi riprendere con «Invia Flusso»: le stesse notifiche, se rifiutate di nuovo, passano a «Errore»."
	for want, got := range map[string]string{
		"Invio fermato dopo 1 rifiuto di App IO, senza messaggi accettati: la causa può essere nel servizio." + advice:                                                                                     refusalStopReason(1, outcome{}),
		"Invio fermato dopo 10 rifiuti uguali consecutivi di App IO, senza messaggi accettati: la causa può essere nel servizio. Risposta della piattaforma: «Bad Request: Too much (HTTP 400)»." + advice: refusalStopReason(10, outcome{answer: said}),
		"Invio fermato. App IO non accetta la chiave: verificarla, poi riprendere con «Invia Flusso».":                                                                                                     serviceStopReason(key, flussi.Text{}),
		"Invio fermato. App IO non accetta la chiave: verificarla, poi riprendere con «Invia Flusso». Risposta della piattaforma: «Bad Request: Too much (HTTP 400)».":                                     serviceStopReason(key, said),
		"Invio fermato. App IO ha ricevuto troppe richieste dall'ente e chiede di attendere fino al 30/06/2026 alle 14:01: riprendere dopo quel momento con «Invia Flusso».":                               limitStopReason(time.Date(2026, 6, 30, 12, 0, 1, 0, time.UTC)),
	} {
		assert.Equal(t, want, got)
	}
}

func TestStopReasonCountsFailures(t *testing.T) {
	for n, want := range map[int][2]string{
		1: {"Invio fermato dopo 1 invio senza una risposta certa di App IO. Quando App IO funziona di nuovo, riprendere con «Invia Flusso».",
			"Invio fermato dopo 1 invio non riuscito. App IO non è raggiungibile o non funziona: riprendere più tardi con «Invia Flusso»."},
		2: {"Invio fermato dopo 2 invii consecutivi senza una risposta certa di App IO. Quando App IO funziona di nuovo, riprendere con «Invia Flusso».",
			"Invio fermato dopo 2 invii consecutivi non riusciti. App IO non è raggiungibile o non funziona: riprendere più tardi con «Invia Flusso»."},
		1000: {"Invio fermato dopo 1.000 invii consecutivi senza una risposta certa di App IO. Quando App IO funziona di nuovo, riprendere con «Invia Flusso».",
			"Invio fermato dopo 1.000 invii consecutivi non riusciti. App IO non è raggiungibile o non funziona: riprendere più tardi con «Invia Flusso»."},
	} {
		assert.Equal(t, want[0], platformStopReason(n, outcome{code: CodeOutcomeUnknown}))
		assert.Equal(t, want[1], platformStopReason(n, outcome{}))
	}
}
