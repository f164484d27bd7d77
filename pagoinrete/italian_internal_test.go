package pagoinrete

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
)

func TestRefusalsAgreeWithTheNumberOfNotices(t *testing.T) {
	for n, want := range map[int][2]string{
		1: {"L'evento ha già 1 avviso: per cambiare importi, scadenze o rate occorre prima annullarlo.",
			"L'evento ha 1 avviso non ancora trasmesso: trasmetterlo o annullarlo prima."},
		2: {"L'evento ha già 2 avvisi: per cambiare importi, scadenze o rate occorre prima annullarli.",
			"L'evento ha 2 avvisi non ancora trasmessi: trasmetterli o annullarli prima."},
		1000: {"L'evento ha già 1.000 avvisi: per cambiare importi, scadenze o rate occorre prima annullarli.",
			"L'evento ha 1.000 avvisi non ancora trasmessi: trasmetterli o annullarli prima."},
	} {
		assert.Equal(t, want[0], flussi.Explain(fixedByNotices(n)))
		assert.Equal(t, want[1], flussi.Explain(noticesReady(Event{Kind: Fee, Counts: NoticeCounts{NotLinked: n}})))
	}
	assert.Equal(t, "L'evento non ha avvisi da pagare: crearli e trasmetterli prima.",
		flussi.Explain(noticesReady(Event{Kind: Fee, Counts: NoticeCounts{Cancelled: 1}})))
}

func TestReasonNamesTheStepsBetween(t *testing.T) {
	label := func(s string) string { return s }
	for want, path := range map[string][]string{
		"Secondo Pago In Rete.": {"Notifica"},
		"Secondo Pago In Rete, con il passo intermedio «RPT inviata».":                           {"RPT inviata", "RT ricevuta"},
		"Secondo Pago In Rete, con i passi intermedi «Notifica» e «RPT inviata».":                {"Notifica", "RPT inviata", "RT ricevuta"},
		"Secondo Pago In Rete, con i passi intermedi «Notifica», «RPT inviata» e «RT ricevuta».": {"Notifica", "RPT inviata", "RT ricevuta", "x"},
	} {
		assert.Equal(t, want, steps("Secondo Pago In Rete", path, label))
	}
}
