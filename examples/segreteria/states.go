package main

import (
	"context"

	"github.com/flussi-go/flussi/pagoinrete"
)

// showStates prints how many notices of the school are in which state, by the names that each
// audience reads, and what has to be looked at.
func (d *demo) showStates(ctx context.Context) error {
	notices, err := d.all(ctx, pagoinrete.NoticeFilter{Schools: []string{school}})
	if err != nil {
		return err
	}
	in := map[pagoinrete.NoticeState]int{}
	for _, n := range notices {
		in[n.State]++
	}
	t := d.table("Macrostato Scuola", "Stato utente Scuola", "Stato utente Famiglia", "Avvisi")
	for _, s := range pagoinrete.NoticeMachine().States() {
		state := s.Name
		if in[state] > 0 {
			labels := state.Labels()
			t.Row(labels.Macro, labels.School, labels.Family, in[state])
		}
	}
	if err := d.writeTable(t); err != nil {
		return err
	}
	for _, n := range notices {
		if !n.Discrepancy.Open() {
			continue
		}
		if err := d.say("Da verificare: %s, rata %d. %s\n", n.DebtorName.Reveal(), n.Instalment, n.Discrepancy.Italian()); err != nil {
			return err
		}
	}
	return nil
}
