package settlementexcel

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

const (
	maxText  = 32_767              // the most characters of a cell
	maxMoney = 999_999_999_999_999 // the largest amount that a cell holds exactly, in cents
	longest  = 1000                // the most characters that the report shows of a text: in files, texts may be longer
)

// text is a text in a column of a width. Like the other kinds of the report, it can write every
// value of a store.
func text(width float64) excel.Kind[string] {
	return excel.Convert(excel.WithRule(excel.AnyText(1, maxText), excel.Rule{Width: width}), func(s string) string { return s }, shortened)
}

func longText() excel.Kind[string] {
	return excel.Convert(excel.WithRule(excel.AnyText(1, maxText), excel.Rule{Layout: excel.LongTextLayout, Width: 50}), func(s string) string { return s }, shortened)
}

func money() excel.Kind[flussi.Cents] {
	return excel.WithRule(excel.Money(0, maxMoney), excel.Rule{Layout: excel.MoneyLayout, Width: 14})
}

// moneyOrEmpty is an amount; the cell is empty for zero.
func moneyOrEmpty() excel.Kind[flussi.Cents] {
	return excel.WithRule(excel.Money(1, maxMoney), excel.Rule{Layout: excel.MoneyLayout, Width: 14})
}

// countOrEmpty is a count; the cell is empty for zero.
func countOrEmpty() excel.Kind[int] {
	whole := excel.WithRule(excel.Integer(1, 1<<31), excel.Rule{Layout: excel.IntegerLayout, Width: 12})
	return excel.Convert(whole, func(n int64) int { return int(n) }, func(n int) int64 { return int64(n) })
}

func day() excel.Kind[time.Time] { return excel.Date(excel.DateConfig{EndOfDay: true}) }

// flag is Sì, or an empty cell for false.
func flag() excel.Kind[bool] {
	return excel.Convert(text(12), func(s string) bool { return s != "" }, func(is bool) string {
		if is {
			return "Sì"
		}
		return ""
	})
}

// shortened cuts a text that is too long for a table.
func shortened(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= longest {
		return s
	}
	return string([]rune(s)[:longest-1]) + "…"
}

// reportColumn returns a column of the report with the values that a function returns.
func reportColumn[Row, V any](header string, kind excel.Kind[V], of func(*Row) V, help string) excel.Column[Row] {
	field := func(row *Row) *V {
		value := of(row)
		return &value
	}
	return excel.NewColumn(header, kind, field, excel.ColumnConfig{ReadOnly: true, Help: help})
}

func summaryColumns() []excel.Column[settlement.SummaryLine] {
	type line = settlement.SummaryLine
	return []excel.Column[line]{
		reportColumn("Foglio", text(16), func(l *line) string { return l.Section }, "Il foglio con le righe sommate."),
		reportColumn("Voce", text(44), func(l *line) string { return l.Label }, "Lo stato delle righe sommate, oppure il nome del totale."),
		reportColumn("Numero", countOrEmpty(), func(l *line) int { return l.Number }, "Il numero di righe."),
		reportColumn("Importo", money(), func(l *line) flussi.Cents { return l.Amount }, "La somma dei loro importi."),
	}
}

func flowTones() []excel.Tone[settlement.Settlement] {
	return []excel.Tone[settlement.Settlement]{
		{Color: excel.Red, Text: "flussi con un totale non affidabile, o riscontrati per un importo maggiore", Has: func(e *settlement.Settlement) bool {
			return e.State == settlement.SettlementInconsistent || e.State == settlement.SettlementExceeded
		}},
		{Color: excel.Yellow, Text: "flussi non riscontrati in tesoreria, o solo in parte", Has: func(e *settlement.Settlement) bool {
			return e.State == settlement.SettlementOpen || e.State == settlement.SettlementPartlyCovered
		}},
	}
}

func flowColumns() []excel.Column[settlement.Settlement] {
	type row = settlement.Settlement
	columns := []excel.Column[row]{
		reportColumn("ID flusso", text(38), func(e *row) string { return e.FlowID }, "L'identificativo del flusso (identificativoFlusso)."),
		reportColumn("PSP", text(16), func(e *row) string { return e.PSP }, "Il codice del PSP che ha riversato il flusso."),
		reportColumn("Denominazione PSP", text(24), func(e *row) string { return e.PSPName }, "Il nome del PSP."),
		reportColumn("Data regolamento", day(), func(e *row) time.Time { return e.Date }, "La data del bonifico."),
		reportColumn("TRN", text(36), func(e *row) string { return e.TransferID }, "L'identificativo del bonifico (identificativoUnivocoRegolamento)."),
		reportColumn("Data del file", excel.DateTime(), func(e *row) time.Time { return e.FileAt }, "La data e l'ora del flusso (dataOraFlusso)."),
		reportColumn("Revisione", countOrEmpty(), func(e *row) int { return e.Revision }, "La revisione del flusso, se è indicata."),
		reportColumn("Totale", money(), func(e *row) flussi.Cents { return e.Total }, "L'importo riversato secondo il flusso."),
		reportColumn("Riscontrato", money(), func(e *row) flussi.Cents { return e.Covered }, "L'importo dei movimenti di tesoreria abbinati al flusso."),
		reportColumn("Da riscontrare", money(), func(e *row) flussi.Cents { return e.Total - e.Covered }, "La differenza fra il totale e il riscontrato."),
		reportColumn("Stato", text(34), func(e *row) string { return e.State.Label() }, "Se i movimenti di tesoreria corrispondono al totale del flusso."),
		reportColumn("Pagamenti", countOrEmpty(), func(e *row) int { return e.Counts.Total().Number }, "Il numero di pagamenti del flusso."),
		reportColumn("Somma pagamenti", money(), func(e *row) flussi.Cents { return e.Counts.Total().Amount }, "La somma dei pagamenti del flusso, con i revocati in negativo."),
	}
	for _, c := range []struct {
		header string
		of     func(*settlement.PaymentCounts) settlement.Tally
		help   string
	}{
		{"Attesi", func(c *settlement.PaymentCounts) settlement.Tally { return c.Expected }, "Quanti pagamenti sono attesi, con lo stesso importo."},
		{"Importo diverso", func(c *settlement.PaymentCounts) settlement.Tally { return c.AmountDiffers }, "Quanti pagamenti sono attesi, con un altro importo."},
		{"Doppi", func(c *settlement.PaymentCounts) settlement.Tally { return c.Duplicate }, "Quanti pagamenti si aggiungono a un altro dello stesso IUV."},
		{"IUV sconosciuti", func(c *settlement.PaymentCounts) settlement.Tally { return c.Unknown }, "Quanti pagamenti hanno un IUV sconosciuto."},
		{"Altri intermediari", func(c *settlement.PaymentCounts) settlement.Tally { return c.Foreign }, "Quanti pagamenti hanno un IUV di un altro intermediario."},
		{"Revocati", func(c *settlement.PaymentCounts) settlement.Tally { return c.Revoked }, "Quante righe sono revoche, o pagamenti revocati."},
		{"Accantonati", func(c *settlement.PaymentCounts) settlement.Tally { return c.SetAside }, "Quanti pagamenti sono stati accantonati da un operatore."},
		{"Con errori", func(c *settlement.PaymentCounts) settlement.Tally { return c.Unusable }, "Quante righe hanno un errore che impedisce di abbinarle."},
	} {
		columns = append(columns, reportColumn(c.header, countOrEmpty(), func(e *row) int { return c.of(&e.Counts).Number }, c.help))
	}
	return append(columns, reportColumn("Codice fiscale ente", text(18), func(e *row) string { return e.Body.String() }, "L'ente a cui il flusso è destinato."))
}

func paymentTones() []excel.Tone[settlement.PaymentLine] {
	is := func(findings ...settlement.Finding) func(*settlement.PaymentLine) bool {
		return func(l *settlement.PaymentLine) bool {
			for _, f := range findings {
				if l.Finding() == f {
					return true
				}
			}
			return false
		}
	}
	return []excel.Tone[settlement.PaymentLine]{
		{Color: excel.Red, Text: "pagamenti da verificare: importo diverso, IUV sconosciuto o pagato più di una volta, riga con errori",
			Has: is(settlement.FindingAmountDiffers, settlement.FindingDuplicate, settlement.FindingUnknown, settlement.FindingUnusable)},
		{Color: excel.Yellow, Text: "pagamenti attesi il cui flusso non è riscontrato in tesoreria per il suo importo",
			Has: is(settlement.FindingNoTreasury, settlement.FindingPartlyCovered, settlement.FindingExceeded, settlement.FindingInconsistent, settlement.FindingNoTransfer)},
		{Color: excel.Grey, Text: "pagamenti revocati, accantonati o di un altro intermediario",
			Has: is(settlement.FindingRevoked, settlement.FindingSetAside, settlement.FindingForeign)},
	}
}

func paymentLineColumns() []excel.Column[settlement.PaymentLine] {
	type row = settlement.PaymentLine
	return []excel.Column[row]{
		reportColumn("IUV", text(28), func(l *row) string { return l.Payment.Reference.Reveal() }, "Lo IUV, come è scritto nel flusso."),
		reportColumn("IUR", text(28), func(l *row) string { return l.Payment.IUR }, "Il codice della riscossione."),
		reportColumn("Indice", countOrEmpty(), func(l *row) int { return l.Payment.Index }, "Il numero del versamento, in un pagamento a più beneficiari."),
		reportColumn("Data pagamento", day(), func(l *row) time.Time { return l.Payment.Date }, "La data dell'esito del pagamento."),
		reportColumn("Esito", text(24), func(l *row) string { return outcomeLabel(l.Payment.Outcome) }, "L'esito del pagamento secondo il flusso."),
		reportColumn("Importo", money(), func(l *row) flussi.Cents { return l.Payment.Net() }, "L'importo del versamento, in negativo se è revocato."),
		reportColumn("Importo atteso", moneyOrEmpty(), func(l *row) flussi.Cents { return l.Payment.Expected }, "L'importo atteso per questo versamento."),
		reportColumn("Riscontro", text(36), func(l *row) string { return l.Finding().Label() }, "Se il pagamento è riscontrato con il flusso e con la tesoreria, oppure perché non lo è."),
		reportColumn("Ricevuta", flag(), func(l *row) bool { return l.Purpose.Receipt }, "Se la ricevuta telematica del pagamento è nota."),
		reportColumn("ID flusso", text(38), func(l *row) string { return l.Settlement.FlowID }, "Il flusso che contiene il pagamento."),
		reportColumn("Stato del flusso", text(34), func(l *row) string { return l.Settlement.State.Label() }, "Se i movimenti di tesoreria corrispondono al totale del flusso."),
		reportColumn("Evento", text(36), func(l *row) string { return l.Purpose.Event }, "Per che cosa si paga."),
		reportColumn("Capitolo", text(16), func(l *row) string { return l.Purpose.Chapter }, "Il capitolo, o l'aggregato e la voce, dell'entrata."),
		reportColumn("IUV abbinato", text(28), matchedReference, "Lo IUV a cui un operatore ha abbinato il pagamento."),
		reportColumn("Deciso da", text(18), func(l *row) string { return l.Payment.Decision.By }, "Chi ha abbinato o accantonato il pagamento. Se la cella è vuota, l'abbinamento è automatico."),
		reportColumn("Motivo", longText(), func(l *row) string { return l.Payment.Decision.Reason.Reveal() }, "Il motivo della decisione dell'operatore."),
		reportColumn("UUID", text(38), func(l *row) string { return l.Payment.ID.String() }, "Identifica il pagamento."),
	}
}

// matchedReference returns the reference to which an operator matched the payment.
func matchedReference(l *settlement.PaymentLine) string {
	if l.Payment.Target == l.Payment.Reference {
		return ""
	}
	return l.Payment.Target.Reveal()
}

// outcomeLabel returns the code of an outcome and its name.
func outcomeLabel(o paymentfile.Outcome) string {
	switch o {
	case paymentfile.OutcomePaid:
		return "0 eseguito"
	case paymentfile.OutcomeRevoked:
		return "3 revocato"
	case paymentfile.OutcomeStandIn:
		return "4 eseguito (stand-in)"
	case paymentfile.OutcomeStandInNoRequest:
		return "8 eseguito (stand-in) senza RPT"
	case paymentfile.OutcomeNoRequest:
		return "9 eseguito senza RPT"
	}
	return "non previsto"
}

func partTones() []excel.Tone[movementPart] {
	is := func(kinds ...settlement.PartKind) func(*movementPart) bool {
		return func(p *movementPart) bool {
			for _, k := range kinds {
				if p.get().Kind == k {
					return true
				}
			}
			return false
		}
	}
	return []excel.Tone[movementPart]{
		{Color: excel.Red, Text: "movimenti con più abbinamenti possibili", Has: is(settlement.PartAmbiguous)},
		{Color: excel.Yellow, Text: "movimenti che non hanno ancora il loro flusso", Has: is(settlement.PartWaiting)},
		{Color: excel.Grey, Text: "movimenti stornati, accantonati o estranei a pagoPA", Has: is("", settlement.PartSetAside, settlement.PartUnrelated)},
	}
}

func partColumns() []excel.Column[movementPart] {
	type row = movementPart
	return []excel.Column[row]{
		reportColumn("Sospeso", text(16), func(p *row) string { return p.Movement.Number }, "Il numero del sospeso in entrata."),
		reportColumn("Esercizio", countOrEmpty(), func(p *row) int { return p.Movement.Year }, "L'esercizio finanziario."),
		reportColumn("Conto", text(16), func(p *row) string { return p.Movement.Account }, "Il conto evidenza."),
		reportColumn("Data", day(), func(p *row) time.Time { return p.Movement.Date }, "La data del primo movimento del sospeso."),
		reportColumn("Importo del sospeso", money(), func(p *row) flussi.Cents { return p.Movement.Amount }, "L'importo del sospeso, al netto degli storni."),
		reportColumn("Regolarizzato", money(), func(p *row) flussi.Cents { return p.Movement.Regularised }, "Quanto è già regolarizzato con reversali."),
		reportColumn("Stato", text(26), func(p *row) string { return p.Movement.State.Label() }, "Lo stato del sospeso."),
		reportColumn("Importo", money(), func(p *row) flussi.Cents { return p.get().Amount }, "L'importo di questa riga: tutto il sospeso, o una sua parte."),
		reportColumn("Abbinamento", text(26), func(p *row) string { return p.label() }, "A che cosa appartiene l'importo della riga."),
		reportColumn("ID flusso", text(38), func(p *row) string { return p.of().FlowID }, "Il flusso a cui l'importo è abbinato."),
		reportColumn("Totale del flusso", moneyOrEmpty(), func(p *row) flussi.Cents { return p.of().Total }, "L'importo riversato secondo il flusso."),
		reportColumn("IUV", text(28), func(p *row) string { return p.Movement.Reference.Reveal() }, "Lo IUV di un pagamento singolo."),
		reportColumn("Causale", longText(), func(p *row) string { return p.Movement.Causale().Reveal() }, "La causale del movimento."),
		reportColumn("Abbinato per importo", flag(), func(p *row) bool { return p.get().ByAmount }, "Se la causale è incompleta e l'abbinamento si basa sull'importo."),
		reportColumn("Deciso da", text(18), func(p *row) string { return p.get().By }, "Chi ha abbinato o accantonato l'importo. Se la cella è vuota, l'abbinamento è automatico."),
		reportColumn("Motivo", longText(), func(p *row) string { return p.reason() }, "Il motivo della decisione dell'operatore."),
		reportColumn("Banca (ABI)", text(12), func(p *row) string { return p.Movement.Bank }, "Il codice ABI della banca tesoriera."),
		reportColumn("UUID", text(38), func(p *row) string { return p.Movement.ID.String() }, "Identifica il movimento."),
	}
}

// toAllocate stands in place of the event where an amount has none.
const toAllocate = "Da attribuire"

func allocationColumns() []excel.Column[settlement.Allocation] {
	type row = settlement.Allocation
	return []excel.Column[row]{
		reportColumn("Sospeso", text(16), func(a *row) string { return a.Movement.Number }, "Il numero del sospeso in entrata."),
		reportColumn("Esercizio", countOrEmpty(), func(a *row) int { return a.Movement.Year }, "L'esercizio finanziario."),
		reportColumn("Conto", text(16), func(a *row) string { return a.Movement.Account }, "Il conto evidenza."),
		reportColumn("Data", day(), func(a *row) time.Time { return a.Movement.Date }, "La data del primo movimento del sospeso."),
		reportColumn("Importo del sospeso", money(), func(a *row) flussi.Cents { return a.Movement.Amount }, "L'importo del sospeso, al netto degli storni."),
		reportColumn("Regolarizzato", money(), func(a *row) flussi.Cents { return a.Movement.Regularised }, "Quanto è già regolarizzato con reversali."),
		reportColumn("Evento", text(36), func(a *row) string {
			if a.Reason != "" {
				return toAllocate
			}
			return a.Purpose.Event
		}, "Per che cosa si è pagato."),
		reportColumn("Capitolo", text(16), func(a *row) string { return a.Purpose.Chapter }, "Il capitolo, o l'aggregato e la voce, dell'entrata."),
		reportColumn("Pagamenti", countOrEmpty(), func(a *row) int { return a.Payments }, "Il numero di pagamenti che formano l'importo."),
		reportColumn("Importo", money(), func(a *row) flussi.Cents { return a.Amount }, "L'importo da regolarizzare per l'evento e il capitolo."),
		reportColumn("Motivo", text(36), func(a *row) string { return a.Reason.Label() }, "Perché l'importo è da attribuire."),
		reportColumn("Banca (ABI)", text(12), func(a *row) string { return a.Movement.Bank }, "Il codice ABI della banca tesoriera."),
		reportColumn("UUID", text(38), func(a *row) string { return a.Movement.ID.String() }, "Identifica il movimento."),
	}
}
