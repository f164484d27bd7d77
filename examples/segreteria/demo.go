package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// demo is an office that shows what it does.
type demo struct {
	*office
	*screen
	pause  time.Duration
	trip   uuid.UUID // the fee with two instalments
	states []operated
	denied []refusal
}

// play plays all parts.
func (d *demo) play(ctx context.Context) error {
	for i, part := range []struct {
		title string
		play  func(context.Context) error
	}{
		{"Le dieci operazioni della guida, per una tassa in due rate", d.operations},
		{"La tabella della guida, dagli stati letti dopo ogni operazione", d.showOperations},
		{"Operazioni rifiutate a chi non è abilitato", d.showDenied},
		{"Un evento che il DS rifiuta, corretto e di nuovo sottoposto", d.rejection},
		{"Un'erogazione liberale: le operazioni che non si fanno", d.donation},
		{"Riconciliazione con il PSP e con la tesoreria", d.reconciliation},
		{"Un alunno che si ritira: annullato e rimborsato", d.withdrawal},
		{"Gli avvisi della scuola, con i tre nomi di ogni stato", d.showStates},
		{"I messaggi ai genitori, con App IO, sugli avvisi ancora da pagare", d.remind},
		{"L'esito", d.export},
	} {
		if err := d.say("\n── %d. %s\n\n", i+1, part.title); err != nil {
			return err
		}
		if err := part.play(ctx); err != nil {
			return err
		}
		if err := d.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// refusal is something that somebody may not do, and why.
type refusal struct{ who, what, why string }

// refuses checks that something was refused, and returns what was said.
func refuses(by flussi.Actor, what string, err error) (refusal, error) {
	if err == nil {
		return refusal{}, fmt.Errorf("%s as %s was not refused", what, by.ID)
	}
	return refusal{fmt.Sprintf("%s (%s)", by.ID, by.Roles[0].Label()), what, flussi.Explain(err)}, nil
}

// all returns the notices that match a filter, the oldest first.
func (o *office) all(ctx context.Context, filter pagoinrete.NoticeFilter) ([]pagoinrete.Notice, error) {
	var all []pagoinrete.Notice
	for n, err := range o.AllNotices(ctx, assistant, filter) {
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// noticeOf returns the notice of a pupil for an instalment of the trip.
func (d *demo) noticeOf(ctx context.Context, i, instalment int) (pagoinrete.Notice, error) {
	found, err := d.all(ctx, pagoinrete.NoticeFilter{Event: d.trip, Debtor: pupil(i)})
	if err != nil {
		return pagoinrete.Notice{}, err
	}
	for _, n := range found {
		if n.Instalment == instalment {
			return n, nil
		}
	}
	return pagoinrete.Notice{}, flussi.ErrNotFound
}
