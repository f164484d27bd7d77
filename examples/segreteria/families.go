package main

import (
	"context"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete"
)

// pupils are the names of those who go on the trip. They are invented, and so are the codes.
var pupils = []string{
	"Amato Giulia", "Basile Luca", "Colombo Sara", "D'Angelo Marco", "Esposito Anna",
	"Ferrara Paolo", "Greco Elisa", "Lombardi Matteo", "Marchetti Chiara", "Rizzo Davide",
}

func pupil(i int) flussi.FiscalCode { return appiotest.SampleCitizen(100 + i) }

// parent is the one who pays for a pupil (versante).
func parent(i int) flussi.FiscalCode { return appiotest.SampleCitizen(i) }

// What the families do, by the pupil's place in the list.
const (
	registered = 9 // parents who register with Pago In Rete
	loggedIn   = 8 // and of them, those who log in
	underWay   = 7 // whose payment of the first instalment is not through yet
	notOnAppIO = 6 // whose parent has no App IO
	withdraws  = 4 // who does not go on the trip in the end
	byTransfer = 8 // whose parent pays the first instalment by a bank transfer
)

// familiesArrive lets the parents register, and most of them log in.
func (d *demo) familiesArrive() error {
	for i := range registered {
		d.pagoInRete.RegisterPayer(parent(i))
	}
	for i := range loggedIn {
		d.pagoInRete.LogIn(parent(i))
	}
	return d.say("    Famiglie registrate a Pago In Rete: %d. Famiglie che hanno fatto l'accesso: %d.\n", registered, loggedIn)
}

// familiesPay lets the parents pay: most of them the first instalment, some both, and one has
// begun to.
func (d *demo) familiesPay(ctx context.Context) error {
	paid := 0
	pay := func(i, instalment int) error {
		n, err := d.noticeOf(ctx, i, instalment)
		if err != nil {
			return err
		}
		if !d.pagoInRete.Pay(n.ID, n.Due()) {
			return fmt.Errorf("notice %s cannot be paid", n.ID)
		}
		paid++
		return nil
	}
	for i := range underWay {
		if err := pay(i, 1); err != nil {
			return err
		}
	}
	for i := range 2 {
		if err := pay(i, 2); err != nil {
			return err
		}
	}
	n, err := d.noticeOf(ctx, underWay, 1)
	if err != nil {
		return err
	}
	d.pagoInRete.StartPayment(n.ID)
	return d.say("    Famiglie: %s, 1 in corso.\n", italian.Count(paid, "pagamento fatto", "pagamenti fatti"))
}

// showGuardians shows what a family sees in the guardians' area.
func (d *demo) showGuardians(ctx context.Context) error {
	seen, err := d.all(ctx, pagoinrete.NoticeFilter{Schools: []string{school}, Debtor: pupil(0), Visible: true})
	if err != nil {
		return err
	}
	t := d.table("Evento", "Rata", "Importo", "Scadenza", "Stato utente Famiglia")
	for _, n := range seen {
		e, err := d.Event(ctx, assistant, n.EventID)
		if err != nil {
			return err
		}
		t.Row(e.Name, n.Instalment, n.Due().Euro(), date(n.DueDate), n.State.Labels().Family)
	}
	if err := d.say("    L'Area Tutore della famiglia di %s:\n", pupils[0]); err != nil {
		return err
	}
	return d.writeTable(t)
}
