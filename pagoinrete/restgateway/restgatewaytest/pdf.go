package restgatewaytest

import (
	"bytes"
	"fmt"
	"strings"
)

// makePDF returns a notice on one page: the school, the event, the number, the amount and the due
// date.
func makePDF(school string, n *notice) []byte {
	lines := []string{
		"Avviso di pagamento pagoPA",
		"Ente creditore: " + school,
		"Oggetto: " + n.event.name,
		fmt.Sprintf("Rata: %d", n.instalment),
		"Codice avviso: " + n.Number.Grouped(),
		"Importo: " + n.Due.Euro(),
		"Scadenza: " + n.DueDate.Format("02/01/2006"),
	}
	var content strings.Builder
	content.WriteString("BT /F1 14 Tf 18 TL 60 780 Td\n")
	for _, line := range lines {
		content.WriteString("(" + pdfText(line) + ") Tj T*\n")
	}
	content.WriteString("ET")
	var file bytes.Buffer
	file.WriteString("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n")
	var offsets []int
	for i, object := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", content.Len(), content.String()),
	} {
		offsets = append(offsets, file.Len())
		fmt.Fprintf(&file, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := file.Len()
	fmt.Fprintf(&file, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&file, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&file, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return file.Bytes()
}

// pdfText returns a text as the content of a PDF string, in Windows-1252; ? for other characters.
func pdfText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '(' || r == ')' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '€':
			b.WriteByte(0x80)
		case r >= ' ' && r < 0x7F, r >= 0xA0 && r <= 0xFF:
			b.WriteByte(byte(r))
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}
