package paymentfile

import (
	"strconv"
	"strings"
)

// paymentNames are the fields of a row in XML.
var paymentNames = texts{
	reference: "identificativoUnivocoVersamento", iur: "identificativoUnivocoRiscossione", index: "indiceDatiSingoloPagamento",
	amount: "singoloImportoPagato", outcome: "codiceEsitoSingoloPagamento", date: "dataEsitoSingoloPagamento",
}

// settlementNames are the fields of a settlement in XML.
var settlementNames = headNames{
	id: "identificativoFlusso", created: "dataOraFlusso", transfer: "identificativoUnivocoRegolamento", date: "dataRegolamento",
	sender: "istitutoMittente", receiver: "identificativoUnivocoRicevente", count: "numeroTotalePagamenti", total: "importoTotalePagamenti",
}

// settlementXML reads a FlussoRiversamento whose start was read.
type settlementXML struct {
	*scanner
	file    *SettlementFile
	code    string // of the receiving body
	start   Position
	more    bool                // the start of a row was read
	places  map[string]Position // of the fields that are not empty
	unknown bool                // an element that the format does not have was found
}

// openSettlementXML reads a settlement up to its first row.
func openSettlementXML(s *scanner, e *envelope, config Config) (File, error) {
	s.format = FormatSettlement
	x := &settlementXML{scanner: s, start: s.src.tag, places: map[string]Position{}, file: &SettlementFile{config: config, page: Page{1, 1}}}
	x.file.head.PSPID = e.psp
	x.file.report.Format = FormatSettlement
	x.file.read = x.rows
	if err := x.head(s.depth); err != nil {
		return nil, err
	}
	s.describe(&x.file.report)
	x.file.checkHead(settlementNames, x.places, x.code, x.start)
	return x.file, nil
}

// head reads the elements before the next row.
func (x *settlementXML) head(depth int) error {
	f := x.file
	r := row{checks: f.checks(), at: x.src.next}
	for {
		name, err := x.child(depth)
		if err != nil {
			return err
		}
		r.at = x.src.tag
		switch name {
		case "":
			return nil
		case "datiSingoliPagamenti":
			x.more = true
			return nil
		case "istitutoMittente", "istitutoRicevente":
			err = x.paths(name, func(around, name, text string) { x.party(&r, around, name, text) })
		default:
			var text string
			if text, err = x.text(); err == nil {
				x.field(&r, name, text)
			}
		}
		if err != nil {
			return err
		}
	}
}

// party sets a field of an institution.
func (x *settlementXML) party(r *row, around, name, text string) {
	h := &x.file.head
	switch around + "/" + name {
	case "identificativoUnivocoMittente/tipoIdentificativoUnivoco":
		h.PSP.Type = text
	case "identificativoUnivocoMittente/codiceIdentificativoUnivoco":
		h.PSP.Code = text
		x.note(settlementNames.sender, text, r.at)
	case "istitutoMittente/denominazioneMittente":
		h.PSP.Name = text
	case "identificativoUnivocoRicevente/codiceIdentificativoUnivoco":
		x.code = text
	case "istitutoRicevente/denominazioneRicevente":
		h.BodyName = text
	case "identificativoUnivocoRicevente/tipoIdentificativoUnivoco":
	default:
		x.unknownElement(r.at)
	}
}

// unknownElement adds a fault for the first element that the format does not define: it may be a
// misspelled one.
func (x *settlementXML) unknownElement(at Position) {
	if !x.unknown {
		x.unknown = true
		(&row{checks: x.file.checks(), at: at}).add(FaultUnknown, "", false, "Il file contiene elementi non riconosciuti, che non sono stati letti. Il primo è in questa riga.")
	}
}

// field sets a field of the settlement.
func (x *settlementXML) field(r *row, name, text string) {
	f := x.file
	h := &f.head
	if _, given := x.places[name]; given {
		r.repeated(name, text)
	}
	switch name {
	case "versioneOggetto":
		if h.Version = text; text != "1.0" && text != "1.1" {
			r.value(name, false)
		}
	case "identificativoFlusso":
		h.ID = text
	case "dataOraFlusso":
		if text != "" {
			h.CreatedAt = r.time(name, text)
		}
	case "identificativoUnivocoRegolamento":
		h.TransferID = text
	case "dataRegolamento":
		h.Date = r.optionalDay(name, text)
	case "codiceBicBancaDiRiversamento":
		h.BankBIC = text
	case settlementNames.count:
		if text != "" {
			h.Count = f.count(r, name, text)
		}
	case settlementNames.total:
		if text != "" {
			f.total(r, name, text)
		}
	default:
		x.unknownElement(r.at)
		return
	}
	x.note(name, text, r.at)
}

// note records the place of a field that is not empty.
func (x *settlementXML) note(field, text string, at Position) {
	if text != "" {
		x.places[field] = at
	}
}

// count reads the number of payments that a settlement or a page of it states.
func (f *SettlementFile) count(r *row, field, text string) int64 {
	if text == "" {
		r.missing(field, true)
		return 0
	}
	count, err := strconv.ParseInt(strings.TrimPrefix(text, "+"), 10, 64)
	if err != nil || count < 0 {
		r.value(field, true)
		return 0
	}
	f.expected, f.counted, f.at = count, true, r.at
	return count
}

// total reads the total that the settlement states.
func (f *SettlementFile) total(r *row, field, text string) {
	total, ok := r.amount(field, text)
	f.head.Total, f.totalled, f.at = total, ok, r.at
}

// rows reads the rows, until yield returns false, and the rest of the document.
func (x *settlementXML) rows(yield func(Payment) bool) error {
	depth := x.depth
	if x.more {
		depth--
	}
	for x.more {
		x.more = false
		if x.row++; x.row > x.limits.Rows {
			return x.fail(ErrLimit)
		}
		at := x.src.tag
		var t texts
		repeated := ""
		err := x.fields(func(name, text string) {
			field := t.field(paymentNames, name)
			if field == nil {
				x.unknownElement(at)
				return
			}
			if *field != "" {
				repeated = name
			}
			*field = text
		})
		if err != nil {
			return err
		}
		if !yield(x.file.payment(t, paymentNames, repeated, x.row, at)) {
			return nil
		}
		if err := x.head(depth); err != nil {
			return err
		}
	}
	if err := x.close(); err != nil {
		return err
	}
	x.describe(&x.file.report)
	for _, field := range []string{settlementNames.count, settlementNames.total} {
		if _, given := x.places[field]; !given {
			(&row{checks: x.file.checks(), at: x.start}).missing(field, true)
		}
	}
	return nil
}
