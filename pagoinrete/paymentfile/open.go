package paymentfile

import (
	"encoding/xml"
	"io"

	"github.com/flussi-go/flussi/internal/italian"
)

// Format is the format of a payment file. It is recognised by the content, not by the file's name.
type Format string

// The formats that are recognised.
const (
	FormatUnknown          Format = ""                // not recognised
	FormatSettlement       Format = "settlement_xml"  // flusso di rendicontazione (FlussoRiversamento 1.0, 1.1)
	FormatSettlementHeader Format = "settlement_json" // the same as JSON of the organisations' API: identity and totals, no payments
	FormatSettlementPage   Format = "payments_json"   // a page of its payments
	FormatJournal          Format = "journal"         // giornale di cassa OPI, one page
	FormatReceipt          Format = "receipt"         // ricevuta of paSendRT, v1 or v2
	FormatOldReceipt       Format = "rt"              // ricevuta telematica (RT) 6.2.0
)

// Italian names the format for the operator, with its article.
func (f Format) Italian() string {
	switch f {
	case FormatSettlement:
		return "un flusso di rendicontazione"
	case FormatSettlementHeader:
		return "l'intestazione di un flusso di rendicontazione"
	case FormatSettlementPage:
		return "una pagina di un flusso di rendicontazione"
	case FormatJournal:
		return "una pagina del giornale di cassa"
	case FormatReceipt, FormatOldReceipt:
		return "una ricevuta telematica"
	}
	return "un file di tipo sconosciuto"
}

// row returns the Italian noun for a row of the format.
func (f Format) row() italian.Noun {
	if f == FormatJournal {
		return italian.Movement
	}
	return italian.Payment
}

// isReceipt reports whether the format is one of receipts, which have one payment and no rows.
func (f Format) isReceipt() bool { return f == FormatReceipt || f == FormatOldReceipt }

// File is a file that [Open] recognised: a [*SettlementFile], a [*JournalFile] or a [*ReceiptFile].
type File interface {
	// Format returns the format of the file.
	Format() Format
	// Report returns what was read so far, and what is wrong in it.
	Report() Report
	sealed()
}

// Open recognises a file by its content and reads it up to its rows. Ranging over the rows of the
// file reads the rest of r. The error is a [*FileError], an error of r, or one with
// [flussi.ErrConfig] for negative limits. Open does not close r.
func Open(r io.Reader, config Config) (File, error) {
	limits, err := config.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	config.Limits = limits
	src, err := newSource(&capped{r, limits.FileBytes}, false)
	if err != nil {
		return nil, err
	}
	switch src.first {
	case '<':
		return openXML(src, config)
	case '{':
		return openJSON(src, config)
	}
	return nil, unknownFile(src)
}

// unknownFile refuses what is neither XML nor JSON.
func unknownFile(src *source) error {
	e := newError(ErrFormat, src.next)
	switch {
	case src.first == 0:
		e.Reason = "il file è vuoto, probabilmente perché il caricamento non è riuscito."
	case src.binary:
		e.Reason = "il file è forse firmato (.p7m). Estrarre il documento firmato e caricare quello."
	}
	return e
}

// OpenSettlement is [Open] for a settlement or a part of one. Other files are an [ErrFormat].
func OpenSettlement(r io.Reader, config Config) (*SettlementFile, error) {
	return openAs[*SettlementFile](r, config, FormatSettlement)
}

// OpenJournal is [Open] for a page of a treasury journal. Other files are an [ErrFormat].
func OpenJournal(r io.Reader, config Config) (*JournalFile, error) {
	return openAs[*JournalFile](r, config, FormatJournal)
}

// OpenReceipt is [Open] for a receipt. Other files are an [ErrFormat].
func OpenReceipt(r io.Reader, config Config) (*ReceiptFile, error) {
	return openAs[*ReceiptFile](r, config, FormatReceipt)
}

func openAs[F File](r io.Reader, config Config, want Format) (F, error) {
	var none F
	file, err := Open(r, config)
	if err != nil {
		return none, err
	}
	if typed, ok := file.(F); ok {
		return typed, nil
	}
	e := newError(ErrFormat, Position{Line: 1, Column: 1})
	e.Format = file.Format()
	e.Reason = "il file è " + file.Format().Italian() + ", non " + want.Italian() + "."
	return none, e
}

// openXML finds the document in an XML file: its root element, or an element of the SOAP message in
// which it came.
func openXML(src *source, config Config) (File, error) {
	s := newScanner(src, config.Limits)
	envelope := &envelope{}
	for {
		token, err := s.next()
		switch {
		case err == io.EOF:
			return nil, notFound(s)
		case err != nil:
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch name := start.Name.Local; name {
		case "FlussoRiversamento":
			return openSettlementXML(s, envelope, config)
		case "flusso_giornale_di_cassa":
			return openJournalXML(s, config)
		case "receipt":
			return readReceipt(s, config)
		case "RT":
			return readOldReceipt(s, config)
		case "xmlRendicontazione", "rt":
			return openEmbedded(s, name, envelope, config)
		case "identificativoPSP":
			if envelope.psp, err = s.text(); err != nil {
				return nil, err
			}
		case "Envelope", "Body", "nodoChiediFlussoRendicontazioneRisposta", "nodoInviaFlussoRendicontazione",
			"paSendRTReq", "paSendRTV2Request", "paaInviaRT", "nodoChiediCopiaRTRisposta":
			// The document is in it.
		case "Fault", "fault":
			e := notFound(s)
			e.Reason = "il file contiene la risposta di errore di un servizio, non un documento."
			return nil, e
		default:
			if s.depth == 1 {
				return nil, notFound(s)
			}
			if err := s.skip(); err != nil {
				return nil, err
			}
		}
	}
}

// envelope is what a SOAP message says about the document in it.
type envelope struct {
	psp string // identificativoPSP
}

func notFound(s *scanner) *FileError { return newError(ErrFormat, s.src.tag) }

// openEmbedded opens the document that an element holds in base64.
func openEmbedded(outer *scanner, name string, envelope *envelope, config Config) (File, error) {
	if outer.format = FormatSettlement; name == "rt" {
		outer.format = FormatOldReceipt
	}
	src, err := outer.embedded()
	if err != nil {
		return nil, err
	}
	s := newScanner(src, config.Limits)
	s.format = outer.format
	token, err := s.next()
	if err == io.EOF {
		err = s.fail(ErrTruncated)
	}
	if err != nil {
		return nil, err
	}
	start, _ := token.(xml.StartElement)
	switch {
	case start.Name.Local == "FlussoRiversamento" && name != "rt":
		s.outer = outer
		return openSettlementXML(s, envelope, config)
	case start.Name.Local == "RT" && name == "rt":
		s.outer = outer
		return readOldReceipt(s, config)
	}
	return nil, notFound(s)
}

// describe completes the report of an XML file.
func (s *scanner) describe(r *Report) {
	r.Format, r.Encoding, r.Embedded = s.format, s.src.encoding, s.outer != nil
	r.Signed = s.signed || s.outer != nil && s.outer.signed
}

// close reads the document, and the one around it, to their ends.
func (s *scanner) close() error {
	if err := s.end(); err != nil || s.outer == nil {
		return err
	}
	s.outer.row = s.row
	return s.outer.end()
}

// countReason says in Italian that the number of rows differs from the stated one.
func countReason(stated int64, found int) string {
	return "Il file dichiara " + italian.Payment.Count(int(stated)) + " e ne contiene " + italian.Number(found) + "."
}
