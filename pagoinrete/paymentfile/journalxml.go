package paymentfile

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
)

// maxAccounts limits the accounts of a journal, since they are held in memory.
const maxAccounts = 10_000

// journalXML reads a flusso_giornale_di_cassa whose start was read.
type journalXML struct {
	*scanner
	file        *JournalFile
	start       Position
	more        bool // the start of an account was read
	unknown     bool // an unknown element that may hold money was found
	page, pages string
}

// openJournalXML reads a page of a journal up to its first account.
func openJournalXML(s *scanner, config Config) (File, error) {
	s.format = FormatJournal
	x := &journalXML{scanner: s, start: s.src.tag, file: &JournalFile{config: config}}
	f := x.file
	f.report.Format = FormatJournal
	f.read = x.rows
	code := ""
	if err := x.head(s.depth, &code); err != nil {
		return nil, err
	}
	s.describe(&f.report)
	r := row{checks: x.checks(), at: x.start}
	if f.head.ID == "" {
		r.missing("identificativo_flusso_BT", false)
	}
	f.head.Body = r.receiver("codice_fiscale_ente", code, config.Body)
	f.head.Page = r.page("pagina", x.page, x.pages)
	return f, nil
}

func (x *journalXML) checks() checks { return checks{&x.file.report, x.limits.Faults} }

// head reads the elements before the next account, and those after the last one.
func (x *journalXML) head(depth int, code *string) error {
	for {
		name, err := x.child(depth)
		if err != nil {
			return err
		}
		r := &row{checks: x.checks(), at: x.src.tag}
		switch name {
		case "":
			return nil
		case "informazioni_conto_evidenza":
			x.more = true
			return nil
		case "testata_messaggio":
			err = x.fields(func(name, text string) { x.field(r, name, text, code) })
		case "totali_esercizio", "totali_disponibilita_liquide":
			err = x.skip()
		default:
			err = x.element(r, name, func(name, text string) bool { return x.field(r, name, text, code) })
		}
		if err != nil {
			return err
		}
	}
}

// amountText matches an amount.
var amountText = regexp.MustCompile(`^[+-]?[0-9]{1,13}[.,][0-9]{1,2}$`)

// element reads an element and calls set, which reports whether the format defines the element in
// this place. If it does not, and the element holds an amount or other elements, it may be a
// misspelled or misplaced movement: the first such element is a fault. Others are skipped, since
// banks add elements.
func (x *journalXML) element(r *row, name string, set func(name, text string) bool) error {
	text, nested, err := x.content()
	if err != nil || set(name, text) || x.unknown || !nested && !amountText.MatchString(text) {
		return err
	}
	x.unknown = true
	r.add(FaultUnknown, "", false, "Un elemento non riconosciuto, che contiene importi o altri elementi, non è stato letto.")
	return nil
}

// field sets a field of the journal. It reports whether the format has it.
func (x *journalXML) field(r *row, name, text string, code *string) bool {
	f := x.file
	h := &f.head
	switch name {
	case "codice_ABI_BT":
		h.BankABI = text
	case "data_ora_creazione_flusso":
		h.CreatedAt = r.time(name, text)
	case "descrizione_ente":
		h.BodyName = text
	case "codice_fiscale_ente":
		*code = text
	case "identificativo_flusso_BT":
		h.ID = text
	case "pagina":
		x.page = text
	case "pagine_totali":
		x.pages = text
	case "riferimento_ente":
		h.BodyReference = text
	case "esercizio":
		year, err := strconv.Atoi(text)
		if err != nil || year < 1900 || year > 9999 {
			r.value(name, false)
			return true
		}
		h.Year = year
	case "data_riferimento_GdC":
		h.From = r.optionalDay(name, text)
		h.To = h.From
	case "data_inizio_periodo_riferimento":
		h.From = r.optionalDay(name, text)
	case "data_fine_periodo_riferimento":
		h.To = r.optionalDay(name, text)
	case "saldo_complessivo_precedente":
		f.totals.Opening = r.stated(name, text)
	case "totale_complessivo_entrate":
		f.totals.In, f.totals.at = r.stated(name, text), r.at
	case "totale_complessivo_uscite":
		f.totals.Out = r.stated(name, text)
	case "saldo_complessivo_finale":
		f.totals.Closing = r.stated(name, text)
	default:
		return false
	}
	return true
}

// stated reads an amount that a journal states.
func (r *row) stated(field, text string) StatedAmount {
	amount, ok := r.amount(field, text)
	return StatedAmount{amount, ok}
}

// rows reads the movements, until yield returns false, and the rest of the document.
func (x *journalXML) rows(yield func(Movement) bool) error {
	depth := x.depth
	if x.more {
		depth--
	}
	for x.more {
		x.more = false
		goesOn, err := x.account(yield)
		if err != nil || !goesOn {
			return err
		}
		var code string
		if err := x.head(depth, &code); err != nil {
			return err
		}
	}
	if err := x.close(); err != nil {
		return err
	}
	x.describe(&x.file.report)
	return nil
}

// account reads an account whose start was read. It reports whether yield wants more.
func (x *journalXML) account(yield func(Movement) bool) (bool, error) {
	depth := x.depth
	if len(x.file.accounts) == maxAccounts {
		return false, x.fail(ErrLimit)
	}
	a := &Account{Totals: Totals{at: x.src.tag}}
	x.file.accounts = append(x.file.accounts, a)
	for {
		name, err := x.child(depth)
		if name == "" || err != nil {
			return true, err
		}
		if name == "movimento_conto_evidenza" {
			m, err := x.movement(a)
			if err != nil {
				return false, err
			}
			if !yield(m) {
				return false, nil
			}
			continue
		}
		r := &row{checks: x.checks(), at: x.src.tag}
		if err := x.element(r, name, func(name, text string) bool { return a.set(r, name, text) }); err != nil {
			return false, err
		}
	}
}

// set sets a field of an account. It reports whether the format has it.
func (a *Account) set(r *row, name, text string) bool {
	t := &a.Totals
	switch name {
	case "conto_evidenza":
		if a.Number = text; utf8.RuneCountInString(text) > 25 {
			r.add(FaultLength, name, false, "Il codice del conto evidenza ha più di 25 caratteri.")
		}
	case "descrizione_conto_evidenza":
		a.Description = text
	case "saldo_precedente_conto_evidenza":
		t.Opening = r.stated(name, text)
	case "totale_entrate_conto_evidenza":
		t.In, t.at = r.stated(name, text), r.at
	case "totale_uscite_conto_evidenza":
		t.Out = r.stated(name, text)
	case "saldo_finale_conto_evidenza":
		t.Closing = r.stated(name, text)
	default:
		return false
	}
	return true
}

// movement reads a movement whose start was read, and counts it.
func (x *journalXML) movement(a *Account) (Movement, error) {
	if x.row++; x.row > x.limits.Rows {
		return Movement{}, x.fail(ErrLimit)
	}
	r := &row{checks: x.checks(), number: x.row, at: x.src.tag}
	m := Movement{Row: x.row, Position: r.at, Account: a.Number}
	amount, date := "", ""
	for depth := x.depth; ; {
		name, err := x.child(depth)
		switch {
		case err != nil:
			return Movement{}, err
		case name == "":
			m.complete(r, amount, date)
			x.count(a, m)
			return m, nil
		case name == "cliente":
			err = x.fields(func(name, text string) {
				switch {
				case name == "anagrafica_cliente":
					m.Payer = flussi.NewText(text)
				case name == "codice_fiscale_cliente" && text != "", name == "partita_iva_cliente" && m.PayerCode.IsZero():
					m.PayerCode = flussi.NewText(text)
				}
			})
		case name == "sospeso":
			err = x.suspense(r, &m)
		case name == "delegato" || name == "creditore_effettivo" || name == "sospeso_da_regolarizzare":
			err = x.skip()
		default:
			err = x.element(r, name, func(name, text string) bool { return m.set(r, name, text, &amount, &date) })
		}
		if err != nil {
			return Movement{}, err
		}
	}
}

// suspense reads a sospeso that an order regularises.
func (x *journalXML) suspense(r *row, m *Movement) error {
	var s Suspense
	err := x.fields(func(name, text string) {
		switch name {
		case "numero_provvisorio":
			s.Number = wholeNumber(text)
		case "importo_provvisorio":
			s.Amount, _ = r.amount(name, text)
		}
	})
	if len(m.Suspense) == 1000 { // as many as the schema allows
		return x.fail(ErrLimit)
	}
	m.Suspense = append(m.Suspense, s)
	return err
}

// set sets a field of a movement. It reports whether the format has it.
func (m *Movement) set(r *row, name, text string, amount, date *string) bool {
	switch name { // the fields that decide which money moved
	case "tipo_movimento":
		r.repeated(name, string(m.Direction))
	case "tipo_documento":
		r.repeated(name, string(m.Document))
	case "tipo_operazione":
		r.repeated(name, string(m.Operation))
	case "numero_documento":
		r.repeated(name, m.DocumentNumber)
	case "importo":
		r.repeated(name, *amount)
	}
	switch name {
	case "identificativo_flusso":
		m.FlowID = text
	case "numero_movimento":
		m.Number = wholeNumber(text)
	case "tipo_movimento":
		m.Direction = Direction(text)
	case "tipo_documento":
		m.Document = Document(strings.Join(strings.Fields(text), " "))
	case "tipo_operazione":
		m.Operation = Operation(text)
	case "numero_documento":
		m.DocumentNumber = wholeNumber(text)
	case "progressivo_documento":
		m.PayerNumber = wholeNumber(text)
	case "numero_bolletta_quietanza":
		m.SlipNumber = wholeNumber(text)
	case "numero_bolletta_quietanza_storno":
		m.ReversedSlip = wholeNumber(text)
	case "numero_sospeso": // up to version 1.4
		if text != "" {
			m.Suspense = append(m.Suspense, Suspense{Number: wholeNumber(text)})
		}
	case "importo":
		*amount = text
	case "data_movimento":
		*date = text
	case "data_valuta_ente":
		m.ValueDate = r.optionalDay(name, text)
	case "coordinate":
		m.IBAN = flussi.NewText(text)
	case "codice_riferimento_operazione":
		m.BankReference = flussi.NewText(text)
	case "end_to_end_id":
		m.EndToEndID = flussi.NewText(text)
	case "causale":
		m.Causale = flussi.NewText(text)
	case "dati_a_disposizione_BT":
		m.BankData = flussi.NewText(text)
	case "importo_bollo", "importo_commissioni", "importo_ritenute", "importo_spese": // not part of the amount that moved
	default:
		return false
	}
	return true
}

// complete checks a movement whose elements were read.
func (m *Movement) complete(r *row, amount, date string) {
	switch m.Direction {
	case Incoming, Outgoing:
	case "":
		r.missing("tipo_movimento", true)
	default:
		m.Direction = ""
		r.value("tipo_movimento", true)
	}
	switch {
	case m.Operation == "":
		r.missing("tipo_operazione", true)
	case !m.Operation.Known():
		m.Operation = ""
		r.value("tipo_operazione", true)
	}
	switch m.Document {
	case DocumentIncomingOrder, DocumentOutgoingOrder, DocumentOutgoingSuspense, DocumentFund, DocumentDeficit, "ANTICIPAZIONE", "GIROCONTO":
	case DocumentIncomingSuspense:
		if m.Direction == Outgoing && m.Operation != OperationReversed {
			r.value("tipo_movimento", true)
		}
	case "":
		r.missing("tipo_documento", true)
	default:
		r.value("tipo_documento", false)
	}
	if m.IsIncomingSuspense() && m.SuspenseNumber() == "" {
		r.missing("numero_documento", true)
	}
	m.Date = r.day("data_movimento", date)
	written, ok := r.amount("importo", amount)
	m.Amount, m.SignedAmount = magnitude(written), written
	switch {
	case ok && written == 0:
		r.add(FaultAmount, "importo", true, "L'importo è zero.")
	case written < 0 && m.Operation == OperationExecuted:
		m.Amount = written
		r.add(FaultSign, "importo", true, "L'importo è negativo, ma l'operazione è ESEGUITO.")
	}
	m.Faults = r.faults
}

// count counts a movement.
func (x *journalXML) count(a *Account, m Movement) {
	a.Movements++
	a.Totals.count(m)
	x.file.totals.count(m)
	x.file.report.Rows++
	if m.Direction == Incoming {
		x.file.report.Amount = plus(x.file.report.Amount, m.Net())
	}
}
