package excel

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf16"

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
	RichText       Format = "rtf"       // a text with formats
	Image          Format = "image"     // a picture or a scan
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
	case RichText:
		return "un documento di testo (.rtf)"
	case Image:
		return "un'immagine"
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

// look is how the beginning of a file is compared with a signature.
type look uint8

const (
	asBytes   look = iota // a question mark is any byte
	asText                // in UTF-8 or UTF-16, in lower case, behind blanks
	asElement             // as a text, and the name of the element ends there
	inArchive             // as bytes, and the parts of the archive say more
	inStreams             // as bytes, and the names of the streams say more
)

// signatures are the beginnings of files by which their formats are known, in the order in which
// they are tried. What has none of them may be a CSV file.
var signatures = []struct {
	begins string
	look   look
	format Format
}{
	{"PK\x03\x04", inArchive, Workbook}, {"PK\x05\x06", inArchive, Workbook},
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", inStreams, LegacyWorkbook},
	{"\x09\x00\x04\x00", asBytes, LegacyWorkbook}, {"\x09\x02\x06\x00", asBytes, LegacyWorkbook}, {"\x09\x04\x06\x00", asBytes, LegacyWorkbook}, // Excel 2 to 4
	{"\x09\x08\x08\x00\x00\x05", asBytes, LegacyWorkbook}, {"\x09\x08\x10\x00\x00\x06", asBytes, LegacyWorkbook}, // Excel 5 to 2003, without streams
	{"\x89PNG\r\n\x1A\n", asBytes, Image}, {"\xFF\xD8\xFF", asBytes, Image}, {"GIF8", asBytes, Image}, {"II*\x00", asBytes, Image}, {"MM\x00*", asBytes, Image},
	{"BM????\x00\x00\x00\x00", asBytes, Image}, {"RIFF????WEBP", asBytes, Image}, {"<svg", asElement, Image}, // BMP, WebP, SVG
	{"????ftyphe", asBytes, Image}, {"????ftypmif1", asBytes, Image}, {"????ftypmsf1", asBytes, Image}, {"????ftypavi", asBytes, Image}, // HEIC, HEIF, AVIF
	{"\x1F\x8B\x08", asBytes, OtherArchive}, {"7z\xBC\xAF\x27\x1C", asBytes, OtherArchive}, {"Rar!\x1A\x07", asBytes, OtherArchive},
	{"%pdf", asText, PDF}, {"{\\rtf", asText, RichText}, {"<?xml", asText, XMLDocument}, {"<workbook", asElement, XMLDocument}, // of Excel 2003
	{"<!--", asText, HTML}, {"<!doctype html", asText, HTML},
	{"<html", asElement, HTML}, {"<head", asElement, HTML}, {"<meta", asElement, HTML}, {"<title", asElement, HTML}, {"<link", asElement, HTML},
	{"<style", asElement, HTML}, {"<script", asElement, HTML}, {"<base", asElement, HTML}, {"<body", asElement, HTML}, {"<main", asElement, HTML},
	{"<section", asElement, HTML}, {"<div", asElement, HTML}, {"<span", asElement, HTML}, {"<p", asElement, HTML}, {"<br", asElement, HTML},
	{"<hr", asElement, HTML}, {"<center", asElement, HTML}, {"<font", asElement, HTML}, {"<b", asElement, HTML}, {"<a", asElement, HTML},
	{"<img", asElement, HTML}, {"<h1", asElement, HTML}, {"<h2", asElement, HTML}, {"<h3", asElement, HTML}, {"<form", asElement, HTML},
	{"<ul", asElement, HTML}, {"<table", asElement, HTML}, {"<thead", asElement, HTML}, {"<tbody", asElement, HTML}, {"<tr", asElement, HTML},
	{"<td", asElement, HTML}, {"<th", asElement, HTML},
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
	text := beginning(head)
	for _, s := range signatures {
		rest, ok := strings.CutPrefix(text, s.begins)
		if s.look != asText && s.look != asElement {
			ok = fitsPattern(head, s.begins)
		}
		if !ok || s.look == asElement && rest != "" && strings.IndexByte(" \t\r\n/>", rest[0]) < 0 {
			continue
		}
		switch {
		case s.look == inStreams:
			return identifyCompound(r, size)
		case s.look == inArchive:
			if format, ok := identifyArchive(r, size); ok {
				return format, nil
			} // otherwise reading it will say what is wrong
		case s.format == XMLDocument && strings.Contains(text, "<html"):
			return HTML, nil
		case s.format == XMLDocument && strings.Contains(text, "<svg"):
			return Image, nil
		}
		return s.format, nil
	}
	readable := isText(head)
	if !readable || bytes.Contains(head, []byte("PK\x03\x04")) {
		if format, ok := identifyArchive(r, size); ok {
			return format, nil // behind other bytes, which reading will refuse
		}
	}
	if readable {
		return CSV, nil
	}
	return UnknownFormat, nil
}

// fitsPattern reports whether a file begins with a pattern, in which a question mark is any byte.
func fitsPattern(head []byte, pattern string) bool {
	if len(head) < len(pattern) {
		return false
	}
	for i := range len(pattern) {
		if pattern[i] != '?' && pattern[i] != head[i] {
			return false
		}
	}
	return true
}

// beginning returns the text with which a file begins, in lower case, if it is a text.
func beginning(head []byte) string {
	order := looksUTF16(head)
	switch {
	case bytes.HasPrefix(head, []byte("\xFF\xFE")):
		order = "LE"
	case bytes.HasPrefix(head, []byte("\xFE\xFF")):
		order = "BE"
	}
	text := string(head)
	if order != "" {
		units := make([]uint16, len(head)/2)
		for i := range units {
			low, high := head[2*i], head[2*i+1]
			if order == "BE" {
				low, high = high, low
			}
			units[i] = uint16(low) | uint16(high)<<8
		}
		text = string(utf16.Decode(units))
	}
	return strings.ToLower(strings.TrimLeft(strings.TrimPrefix(text, "\uFEFF"), " \t\r\n"))
}

// identifyArchive looks into an archive, if it is one that can be opened.
func identifyArchive(r io.ReaderAt, size int64) (Format, bool) {
	kind, err := xlsx.KindOf(r, size, xlsx.Limits{Unpacked: 1<<63 - 1})
	switch {
	case err != nil:
		return UnknownFormat, false
	case kind == xlsx.OfficeBook:
		return Workbook, true
	case kind == xlsx.BinaryBook:
		return BinaryWorkbook, true
	case kind == xlsx.OfficeDocument:
		return OtherOffice, true
	case kind == xlsx.OpenBook:
		return OpenDocument, true
	}
	return OtherArchive, true
}

// identifyCompound distinguishes what older Office and encryption keep in the same container, by
// the names of its streams, whose case does not matter.
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
		b := buf[:n]
		for i, c := range b {
			if 'A' <= c && c <= 'Z' {
				b[i] = c + 'a' - 'A'
			}
		}
		switch {
		case bytes.Contains(b, wide("encryptedpackage")):
			return Encrypted, nil
		case bytes.Contains(b, append(wide("workbook"), 0, 0)) || bytes.Contains(b, append(wide("book"), 0, 0)):
			found = LegacyWorkbook
		case found == UnknownFormat && (bytes.Contains(b, wide("worddocument")) || bytes.Contains(b, wide("powerpoint document"))):
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
