package excel

import (
	"bytes"
	"io"
	"strings"

	"github.com/flussi-go/flussi/internal/xlsx"
)

// Format is what a file is, by its content; its name says nothing.
type Format string

// The formats that are recognised. Only [Workbook] and [CSV] can be read.
const (
	Workbook       Format = "xlsx"      // a workbook of Excel 2007 and later, with or without macros
	CSV            Format = "csv"       // text with separators
	LegacyWorkbook Format = "xls"       // a workbook of older Excel
	BinaryWorkbook Format = "xlsb"      // a binary workbook
	Encrypted      Format = "encrypted" // a workbook with a password
	OpenDocument   Format = "ods"       // a spreadsheet or another document of LibreOffice
	HTML           Format = "html"      // a web page, which some programs name .xls
	XMLDocument    Format = "xml"       // an XML document, such as a spreadsheet of Excel 2003
	PDF            Format = "pdf"       // a document to be printed
	OtherOffice    Format = "office"    // a text or a presentation
	OtherArchive   Format = "zip"       // an archive of something else
	EmptyFile      Format = "empty"     // no bytes at all
	UnknownFormat  Format = "unknown"   // none of these
)

// Italian names the format for the operator.
func (f Format) Italian() string {
	switch f {
	case Workbook:
		return "una cartella di lavoro Excel (.xlsx)"
	case CSV:
		return "un file di testo o CSV"
	case LegacyWorkbook:
		return "una cartella di lavoro del vecchio Excel (.xls)"
	case BinaryWorkbook:
		return "una cartella di lavoro binaria (.xlsb)"
	case Encrypted:
		return "un file protetto da password"
	case OpenDocument:
		return "un documento LibreOffice (.ods)"
	case HTML:
		return "una pagina web (HTML)"
	case XMLDocument:
		return "un documento XML"
	case PDF:
		return "un documento PDF"
	case OtherOffice:
		return "un altro documento Office"
	case OtherArchive:
		return "un archivio compresso"
	case EmptyFile:
		return "un file vuoto"
	}
	return "un file di tipo sconosciuto"
}

// formatError refuses a file that is not what was expected.
func formatError(is, expected Format) error {
	reason := "Il file è " + is.Italian() + ", non " + expected.Italian() + ": "
	switch {
	case is == UnknownFormat:
		reason = "Il tipo di file non è riconosciuto: usare il modello."
	case is == EmptyFile:
		reason = "Il file è vuoto: probabilmente il caricamento non è riuscito."
	case is == Encrypted:
		reason += "togliere la password e salvarlo di nuovo."
	case is == CSV:
		reason += "caricarlo come CSV, oppure aprirlo e salvarlo come .xlsx."
	case is == Workbook:
		reason += "caricarlo come cartella di lavoro Excel."
	case is == LegacyWorkbook || is == BinaryWorkbook || is == OpenDocument || is == HTML || is == XMLDocument:
		reason += "aprirlo con Excel o LibreOffice e salvarlo come .xlsx."
	default:
		reason += "usare il modello."
	}
	return &FileError{Format: is, Err: ErrFormat, Reason: reason}
}

// Identify returns the format of a file, by its content. The error is that of
// reading r.
func Identify(r io.ReaderAt, size int64) (Format, error) {
	if size <= 0 {
		return EmptyFile, nil
	}
	head := make([]byte, min(size, 4096))
	if n, err := r.ReadAt(head, 0); err != nil && (err != io.EOF || n < len(head)) {
		return UnknownFormat, err
	}
	text := strings.ToLower(strings.TrimLeft(string(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF"))), " \t\r\n"))
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return identifyArchive(r, size), nil
	case bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")):
		return identifyCompound(r, size)
	case strings.HasPrefix(text, "%pdf"):
		return PDF, nil
	case strings.HasPrefix(text, "<?xml") || strings.HasPrefix(text, "<workbook"):
		if strings.Contains(text, "<html") {
			return HTML, nil
		}
		return XMLDocument, nil
	case strings.HasPrefix(text, "<!doctype html") || strings.HasPrefix(text, "<html") || strings.HasPrefix(text, "<table") ||
		strings.HasPrefix(text, "<meta") || strings.HasPrefix(text, "<head") || strings.HasPrefix(text, "<style") || strings.HasPrefix(text, "<!--"):
		return HTML, nil
	case strings.HasPrefix(text, "{\\rtf"):
		return OtherOffice, nil
	case isText(head):
		return CSV, nil
	}
	return UnknownFormat, nil
}

func identifyArchive(r io.ReaderAt, size int64) Format {
	kind, err := xlsx.KindOf(r, size, xlsx.Limits{Unpacked: 1<<63 - 1})
	switch {
	case err != nil:
		return Workbook // reading it will say what is wrong
	case kind == xlsx.OfficeBook:
		return Workbook
	case kind == xlsx.BinaryBook:
		return BinaryWorkbook
	case kind == xlsx.OfficeDocument:
		return OtherOffice
	case kind == xlsx.OpenBook:
		return OpenDocument
	}
	return OtherArchive
}

// identifyCompound distinguishes what older Office and encryption keep in the same container, by
// the names of its streams.
func identifyCompound(r io.ReaderAt, size int64) (Format, error) {
	wide := func(s string) []byte {
		var b []byte
		for _, c := range []byte(s) {
			b = append(b, c, 0)
		}
		return b
	}
	found := UnknownFormat
	const window, overlap = 64 << 10, 64
	buf := make([]byte, window)
	for at := int64(0); at < size; at += window - overlap {
		n, err := r.ReadAt(buf[:min(window, size-at)], at)
		if err != nil && err != io.EOF {
			return found, err
		}
		switch b := buf[:n]; {
		case bytes.Contains(b, wide("EncryptedPackage")):
			return Encrypted, nil
		case bytes.Contains(b, append(wide("Workbook"), 0, 0)) || bytes.Contains(b, append(wide("Book"), 0, 0)):
			found = LegacyWorkbook
		case found == UnknownFormat && (bytes.Contains(b, wide("WordDocument")) || bytes.Contains(b, wide("PowerPoint Document"))):
			found = OtherOffice
		}
	}
	return found, nil
}

// isText reports whether the beginning of a file can be text, in one of the encodings
// that [Template.DecodeCSV] reads.
func isText(head []byte) bool {
	if bytes.HasPrefix(head, []byte("\xFF\xFE")) || bytes.HasPrefix(head, []byte("\xFE\xFF")) {
		return true
	}
	zeros, controls := 0, 0
	for _, c := range head {
		switch {
		case c == 0:
			zeros++
		case c < 0x20 && c != '\t' && c != '\n' && c != '\r':
			controls++
		}
	}
	if zeros > 0 { // UTF-16 without a byte order mark: every other byte of common text is zero
		return controls == 0 && zeros*5 >= len(head)*2 && zeros*5 <= len(head)*3 && looksUTF16(head) != ""
	}
	return controls*20 <= len(head) // a stray one is a fault of a text, not another format
}

// looksUTF16 returns LE or BE if the zeros of a text are in every other place only.
func looksUTF16(head []byte) string {
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch {
	case zeros[0] == 0 && zeros[1] > 0:
		return "LE"
	case zeros[1] == 0 && zeros[0] > 0:
		return "BE"
	}
	return ""
}
