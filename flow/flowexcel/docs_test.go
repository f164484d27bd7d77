package flowexcel_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
)

// The document on mail merge lists all names that a field must not have.
func TestDocumentListsTheOtherNamesOfColumns(t *testing.T) {
	text := string(must.Get(os.ReadFile("../../docs/mailmerge.md"))(t))
	table, _ := exceltest.Guide(t, must.Get(excelize.OpenReader(bytes.NewReader(fill(t, template(t)))))(t))
	for _, header := range importHeaders {
		if header == "Oggetto" || header == "Contenuto" {
			continue // a mail merge does not have them
		}
		names := table[header][len(table[header])-1]
		require.Contains(t, names, ",", header)
		assert.Contains(t, text, "  | "+header+" | "+strings.TrimSpace(names)+" |\n")
	}
}
