package main

import (
	"context"
	"errors"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// operationNames are the names of the ten operations, as the guide's first table has them.
var operationNames = []string{
	"Creazione tassa Nuvola/evento di pagamento (con relative rate)",
	"Trasmissione evento di pagamento a Pago in Rete",
	"Creazione pagamenti Nuvola",
	"Trasmissione avvisi di pagamento a Pago in Rete",
	"Modifica tassa rendendo l'evento DA APPROVARE",
	"Modifica tassa per APPROVAZIONE (o Rifiuto) da parte del DS",
	"Modifica tassa per NOTIFICA evento di pagamento",
	"Scarico file .pdf degli avvisi di pagamento",
	"Rendere visibile il pagamento in Area Tutore",
	"Verifica stato avviso di pagamento",
}

// operated are the states after an operation, as they were read.
type operated struct {
	number                   int
	operation, event, notice string
}

// operations does the ten operations, one after the other. In between, families act and
// somebody tries what is not theirs.
func (d *demo) operations(ctx context.Context) error {
	for i, operate := range []func(context.Context) error{
		d.create, d.transmit, d.addNotices, d.transmitNotices, d.submit, d.approve, d.notify, d.download, d.show, d.verify,
	} {
		if err := d.say("%2d. %s\n", i+1, operationNames[i]); err != nil {
			return err
		}
		if err := operate(ctx); err != nil {
			return err
		}
		if err := d.look(ctx, i+1); err != nil {
			return err
		}
	}
	return nil
}

// look reads the states of the event and of the notice that is followed.
func (d *demo) look(ctx context.Context, number int) error {
	e, err := d.Event(ctx, assistant, d.trip)
	if err != nil {
		return err
	}
	seen := operated{number: number, operation: operationNames[number-1], event: e.State.Label()}
	switch n, err := d.noticeOf(ctx, 0, 1); {
	case err == nil:
		seen.notice = n.State.Label()
	case !errors.Is(err, flussi.ErrNotFound):
		return err
	}
	d.states = append(d.states, seen)
	return nil
}

// showOperations prints what was read.
func (d *demo) showOperations(context.Context) error {
	t := d.table("N.", "Operazione", "Stato evento di pagamento", "Stato avviso di pagamento")
	for _, s := range d.states {
		t.Row(s.number, s.operation, s.event, s.notice)
	}
	if err := d.writeTable(t); err != nil {
		return err
	}
	return d.say("La tabella mostra l'avviso di %s, rata 1. Gli altri avvisi sono mostrati più avanti.\n", pupils[0])
}

// create is the first operation.
func (d *demo) create(ctx context.Context) error {
	e, err := d.CreateEvent(ctx, assistant, pagoinrete.Fee, school, fee("Viaggio a Firenze", "Viaggio a Firenze, classi seconde", 15_000, 10_000, 5_000))
	d.trip = e.ID
	return err
}

// transmit is the second.
func (d *demo) transmit(ctx context.Context) error {
	_, err := d.TransmitEvent(ctx, assistant, d.trip)
	return err
}

// addNotices is the third: the office's workbook, with some rows wrong at first.
func (d *demo) addNotices(ctx context.Context) error {
	name, marked := d.path("alunni.xlsx"), d.path("alunni-errori.xlsx")
	if err := d.fillIn(ctx, name); err != nil {
		return err
	}
	_, told, err := d.addFrom(ctx, d.trip, name, marked)
	if !errors.Is(err, flussi.ErrRows) {
		return errors.Join(errors.New("the wrong rows were not noticed"), err)
	}
	if err := d.say("%s\n    Le celle con errori sono segnate in alunni-errori.xlsx. Dopo la correzione:\n", indent(told)); err != nil {
		return err
	}
	if err := d.correct(name); err != nil {
		return err
	}
	added, _, err := d.addFrom(ctx, d.trip, name, marked)
	if err != nil {
		return err
	}
	return d.say("    %s, %s per %s.\n", italian.Row.Count(added.Rows), italian.Notice.Count(added.Notices), added.Amount.Euro())
}

// transmitNotices is the fourth, over a line that is not well: what got no answer is
// transmitted again, and nothing is there twice.
func (d *demo) transmitNotices(ctx context.Context) error {
	d.pagoInRete.Fail(restgatewaytest.PutNotice,
		restgatewaytest.Fault{}, restgatewaytest.Fault{Kind: restgatewaytest.BadGateway, Stored: true}, // stored, as it turns out
		restgatewaytest.Fault{}, restgatewaytest.Fault{Kind: restgatewaytest.GatewayTimeout}, // and not stored
	)
	for range 3 {
		report, err := d.TransmitNotices(ctx, assistant, d.trip)
		if err != nil {
			return err
		}
		if err := d.say("    Trasmessi: %d. Rifiutati: %d. Senza risposta: %d.\n", report.Transmitted, report.Refused, report.Failed); err != nil {
			return err
		}
		if report.Failed == 0 {
			return nil
		}
	}
	return errors.New("notices are not transmitted")
}

// submit is the fifth, which the principal tries first.
func (d *demo) submit(ctx context.Context) error {
	_, err := d.SubmitEvent(ctx, principal, d.trip)
	if err := d.deny(principal, "5. Rendere l'evento da approvare", err); err != nil {
		return err
	}
	_, err = d.SubmitEvent(ctx, assistant, d.trip)
	return err
}

// approve is the sixth, which the office tries first.
func (d *demo) approve(ctx context.Context) error {
	for _, by := range []flussi.Actor{assistant, director} {
		_, err := d.ApproveEvent(ctx, by, d.trip)
		if err := d.deny(by, "6. Approvare l'evento", err); err != nil {
			return err
		}
	}
	_, err := d.ApproveEvent(ctx, principal, d.trip)
	return err
}

// notify is the seventh. The families are there by then.
func (d *demo) notify(ctx context.Context) error {
	_, err := d.NotifyEvent(ctx, principal, d.trip)
	if err := d.deny(principal, "7. Notificare l'evento", err); err != nil {
		return err
	}
	_, err = d.NotifyEvent(ctx, stranger, d.trip)
	if err := d.deny(stranger, "7. Notificare l'evento di un'altra scuola", err); err != nil {
		return err
	}
	if err := d.familiesArrive(); err != nil {
		return err
	}
	e, err := d.NotifyEvent(ctx, director, d.trip)
	if err != nil {
		return err
	}
	return d.say("    Evento notificato, con %s.\n", italian.Notice.Count(e.Counts.NotCancelled()))
}

// show is the ninth.
func (d *demo) show(ctx context.Context) error {
	shown, err := d.ShowEvent(ctx, assistant, d.trip)
	if err != nil {
		return err
	}
	if err := d.say("    Avvisi resi visibili: %d.\n", shown); err != nil {
		return err
	}
	return d.showGuardians(ctx)
}

// verify is the tenth, after families have paid.
func (d *demo) verify(ctx context.Context) error {
	if err := d.familiesPay(ctx); err != nil {
		return err
	}
	_, report, err := d.VerifyEvent(ctx, assistant, d.trip)
	if err != nil {
		return err
	}
	return d.say("    Avvisi verificati su Pago In Rete: %d. Avvisi con uno stato nuovo: %d. Discrepanze: %d.\n", report.Asked, report.Changed, report.Discrepancies)
}

// deny keeps what somebody was not allowed to do.
func (d *demo) deny(by flussi.Actor, what string, err error) error {
	r, err := refuses(by, what, err)
	d.denied = append(d.denied, r)
	return err
}

// showDenied prints it.
func (d *demo) showDenied(context.Context) error {
	t := d.table("Chi", "Operazione", "Risposta")
	for _, r := range d.denied {
		t.Row(r.who, r.what, r.why)
	}
	return d.writeTable(t)
}

// fee is a fee with instalments, of which one is due each month from the next one on.
func fee(name, causale string, amount flussi.Cents, instalments ...flussi.Cents) pagoinrete.EventData {
	now := time.Now().In(cli.Italy())
	d := pagoinrete.EventData{
		Name: name, Causale: causale, Category: "Visite e viaggi", SchoolYear: schoolYear(now), FinancialYear: now.Year(),
		Account: "IT60X0542811101000000123456", Amount: amount,
	}
	for i, part := range instalments {
		due := time.Date(now.Year(), now.Month()+time.Month(i+1), 15, 23, 59, 59, 0, cli.Italy())
		d.Instalments = append(d.Instalments, pagoinrete.Instalment{DueDate: due.UTC(), Amount: part})
	}
	return d
}

// schoolYear is the school year of a day: they begin in September.
func schoolYear(day time.Time) pagoinrete.SchoolYear {
	if day.Month() < time.September {
		return pagoinrete.SchoolYear(day.Year() - 1)
	}
	return pagoinrete.SchoolYear(day.Year())
}
