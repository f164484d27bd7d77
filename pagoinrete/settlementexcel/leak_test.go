package settlementexcel_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/pagoinrete/settlementexcel"
)

// No error and no report of a reading holds a reference, a causale or another text of the file.
func TestErrorsHoldNoTextOfTheFile(t *testing.T) {
	secrets := []string{"segret", "01000000000000101", "RSSMRA80A01"}
	for name, row := range map[string]string{
		"flow":     "segretosegretosegretosegretosegretosegreto;PSP1;;;;;01000000000000101;A;;10,00;;",
		"amount":   flowID + ";PSP1;;;;;01000000000000101;A;;segreto;;",
		"date":     flowID + ";PSP1;segreto;;;;01000000000000101;A;;10,00;;",
		"IUV":      flowID + ";PSP1;;;;;01000000000000101segretosegretosegreto;A;;10,00;;",
		"outcome":  flowID + ";PSP1;;;;;01000000000000101;A;;10,00;segreto;",
		"repeated": flowID + ";PSP1;;;;;01000000000000101;segreto;;10,00;;\r\n" + flowID + ";PSP1;;;;;01000000000000101;segreto;;10,00;;",
		"another":  flowID + ";PSP1;;;;;01000000000000101;A;;10,00;;\r\n" + flowID + ";PSP1;;segreto;;;01000000000000101;B;;10,00;;",
	} {
		t.Run(name, func(t *testing.T) {
			text := []byte(settlementHeaders + row + "\r\n")
			var report excel.Report
			_, err := template(t).Settlements(t.Context(), bytes.NewReader(text), int64(len(text)), school(t), &report)
			require.Error(t, err)
			leaktest.Check(t, secrets, err, report, settlementexcel.Italian(&report, err))
		})
	}
	for name, row := range map[string]string{
		"number":    "segretosegretosegretosegretosegretosegreto;05/03/2030;10,00;RSSMRA80A01H501U;;;;",
		"causale":   "1;05/03/2030;10,00;\"segreto\x01 RSSMRA80A01H501U\";;;;",
		"operation": "1;05/03/2030;10,00;RSSMRA80A01H501U;segreto;;;",
		"repeated":  "1;05/03/2030;10,00;RSSMRA80A01H501U;;;;\r\n1;05/03/2030;10,00;segreto;;;;",
	} {
		t.Run(name, func(t *testing.T) {
			text := []byte(movementHeaders + row + "\r\n")
			var report excel.Report
			_, err := template(t).Movements(t.Context(), bytes.NewReader(text), int64(len(text)), school(t), &report)
			require.Error(t, err)
			leaktest.Check(t, secrets, err, report, settlementexcel.Italian(&report, err))
		})
	}
}
