package flow

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

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
