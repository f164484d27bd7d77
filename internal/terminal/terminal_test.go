package terminal_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/internal/terminal"
)

func TestOnlyGraphicCharactersAreWritten(t *testing.T) {
	for name, test := range map[string]struct{ text, line, whole string }{
		"letters, and what is drawn":   {"Città di Forlì: 1.234 €, «╭─╮│» 日本 😀", "Città di Forlì: 1.234 €, «╭─╮│» 日本 😀", ""},
		"a combining mark":             {"e\u0300", "e\u0300", ""},
		"a space that does not break":  {"1\u00a0€", "1\u00a0€", ""},
		"lines and tabs":               {"a\n\tb", "a��b", "a\n\tb"},
		"a carriage return":            {"a\rb", "a�b", ""},
		"an escape sequence":           {"a\x1b[2Jb", "a�[2Jb", ""},
		"a bell, a backspace, a NUL":   {"\a\b\x00\x7f", "����", ""},
		"C1 as characters":             {"a\u009b2Jb\u0085", "a�2Jb�", ""},
		"C1 as bytes":                  {"a\x9b2Jb", "a�2Jb", ""},
		"directions":                   {"a\u202eb\u2066c\u061cd\u200fe", "a�b�c�d�e", ""},
		"invisible":                    {"a\u200bb\ufeffc\u00add\U000e0041", "a�b�c�d�", ""},
		"separators":                   {"a\u2028b\u2029", "a�b�", ""},
		"private and unassigned":       {"\ue000\U000f0000\ufdd0", "���", ""},
		"cut off":                      {"a\xe2\x82", "a��", ""},
		"the replacement itself stays": {"a�b", "a�b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			whole := test.whole
			if whole == "" {
				whole = test.line
			}
			assert.Equal(t, test.line, terminal.Line(test.text))
			assert.Equal(t, whole, terminal.Text(test.text))
			assert.True(t, utf8.ValidString(terminal.Text(test.text)))
		})
	}
	assert.Equal(t, "\r 10%\n", terminal.Drawing("\r 10%\n"))
	assert.Equal(t, "\r�[K", terminal.Drawing("\r\x1b[K"))
}
