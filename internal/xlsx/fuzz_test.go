package xlsx

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/xlsxtest"
)

func TestEscapesAreReadBackAsTheyWere(t *testing.T) {
	for _, text := range []string{
		"", "plain", "è 😀", "a\tb\nc", "a\rb\r\n", "\x00\x01\x1f", "_x000D_", "_x000D", "__x0041_", "_x0041\x01", "_x005F_x0041_", "<&>\"'", "]]>", "\uFFFE\uFFFF", "_xD83D__xDE00_", " a ", "_X000D_",
	} {
		checkEscapes(t, text)
	}
}

func FuzzEscapes(f *testing.F) {
	for _, seed := range []string{"_x000D_", "a\x00_x", "è\uFFFF<&", "_x0041\x01"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if utf8.ValidString(text) {
			checkEscapes(t, text)
		}
	})
}

func checkEscapes(t *testing.T, text string) {
	raw := appendEscaped(nil, text)
	back, ok := appendUnescaped(nil, raw)
	require.True(t, ok, "%q", raw)
	assert.Equal(t, text, string(decodeEscapes(back)), "%q", raw)
	assert.NoError(t, xml.Unmarshal([]byte("<a>"+string(raw)+"</a>"), new(struct{})), "%q", raw)
}

// scanEvents tells a document as its tags and texts, without white space.
func scanEvents(data []byte, size int) (string, error) {
	s := newScanner(iotest.HalfReader(bytes.NewReader(data)), Archive, size)
	var events []string
	var text []byte
	flush := func() {
		if t := strings.TrimSpace(string(text)); t != "" {
			events = append(events, t)
		}
		text = text[:0]
	}
	for {
		err := s.next()
		if err == io.EOF {
			return strings.Join(events, "|"), nil
		}
		if err != nil {
			return "", err
		}
		switch s.kind {
		case startTag:
			flush()
			events = append(events, "<"+string(s.name))
		case endTag:
			flush()
			events = append(events, ">"+string(s.name))
		case charData:
			if text, err = s.appendText(text); err != nil {
				return "", err
			}
		}
	}
}

func standardEvents(data []byte) (string, error) {
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\uFEFF"))))
	var events []string
	var text strings.Builder
	flush := func() {
		if t := strings.TrimSpace(text.String()); t != "" {
			events = append(events, t)
		}
		text.Reset()
	}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return strings.Join(events, "|"), nil
		}
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			flush()
			events = append(events, "<"+token.Name.Local)
		case xml.EndElement:
			flush()
			events = append(events, ">"+token.Name.Local)
		case xml.CharData:
			text.Write(token)
		}
	}
}

// What both the scanner and encoding/xml take, they take for the same.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`<a/>`, `<?xml version="1.0"?><a b="c>"><!-- x --><d>e&amp;f</d><![CDATA[<]]></a>`, "\xEF\xBB\xBF<a>\r\n</a>", `<x:a xmlns:x="y"><x:b/></x:a>`,
		`<a>`, `<a></b>`, `<a><b></a>`, `<a b='"'/>`, `<a>&#x41;&#65;</a>`, `<a b=c/>`, `<!DOCTYPE a><a/>`, `<a/><b/>`, `<a/>x`,
	} {
		f.Add([]byte(seed))
		f.Add(xlsxtest.UTF16(seed, false, true))
		f.Add(xlsxtest.UTF16(seed, true, false))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, err := scanEvents(data, 16)
		wide, wideErr := scanEvents(data, 4096)
		assert.Equal(t, ours, wide, "the window counts for nothing")
		assert.Equal(t, err == nil, wideErr == nil)
		if err != nil || bytes.Contains(data, []byte(":")) || bytes.Contains(data, []byte("]]>")) {
			return // encoding/xml has its own mind about names with colons, and refuses ]]> in texts
		}
		if standard, err := standardEvents(data); err == nil {
			assert.Equal(t, standard, ours)
		}
	})
}
