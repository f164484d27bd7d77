package flow

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStopReasonCountsFailures(t *testing.T) {
	for n, want := range map[int][2]string{
		1: {"Invio fermato dopo 1 invio senza una risposta certa di App IO. Riprendere l'invio quando App IO funziona di nuovo.",
			"Invio fermato dopo 1 invio non riuscito. App IO non è raggiungibile o non funziona: riprovare più tardi."},
		2: {"Invio fermato dopo 2 invii consecutivi senza una risposta certa di App IO. Riprendere l'invio quando App IO funziona di nuovo.",
			"Invio fermato dopo 2 invii consecutivi non riusciti. App IO non è raggiungibile o non funziona: riprovare più tardi."},
		1000: {"Invio fermato dopo 1.000 invii consecutivi senza una risposta certa di App IO. Riprendere l'invio quando App IO funziona di nuovo.",
			"Invio fermato dopo 1.000 invii consecutivi non riusciti. App IO non è raggiungibile o non funziona: riprovare più tardi."},
	} {
		assert.Equal(t, want[0], platformStopReason(n, outcome{code: CodeOutcomeUnknown}))
		assert.Equal(t, want[1], platformStopReason(n, outcome{}))
	}
}
