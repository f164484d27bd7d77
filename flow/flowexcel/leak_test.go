package flowexcel_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/leaktest"
)

// No error and no report holds a code or a text of the file.
func TestErrorsAndReportsHoldNothingPersonal(t *testing.T) {
	secrets := []string{"MSCMHL68P18", "RSSMRA80A01", "AAAAAA80A01", "301005100001", "segret", "riservat"}
	nothing := func(t *testing.T, values ...any) {
		t.Helper()
		leaktest.Check(t, secrets, values...)
	}
	secretText := "Testo segreto: " + text
	good := func(n int) map[string]any {
		return map[string]any{exceltest.Ref("A", n): code, exceltest.Ref("B", n): "Oggetto segreto", exceltest.Ref("C", n): secretText, exceltest.Ref("I", n): "rif-segreto"}
	}
	for name, wrong := range map[string]map[string]any{
		"recipient": {"A2": "MSCMHL68P18H21"}, "strange recipient": {"A2": "RSSMRA80A01H50!"}, "subject": {"B2": "segreto"}, "content": {"C2": "segreto"},
		"due": {"D2": "segreto"}, "amount": {"E2": "segreto"}, "notice": {"F2": "30100510000140067"}, "notice alone": {"F2": "301005100001400678"},
		"payee": {"G2": "segreto"}, "late": {"H2": "segreto"}, "reference": {"I2": strings.Repeat("segreto", 99)}, "front matter": {"C2": "---\n" + secretText},
		"unknown column": {"J1": "Colonna segreta", "J2": "segreto"}, "refused column": {"J1": "IUV", "J2": "segreto"}, "doubled column": {"J1": "Oggetto", "J2": "segreto"},
		"duplicate": good(3),
	} {
		t.Run(name, func(t *testing.T) {
			all := good(2)
			for ref, value := range wrong {
				all[ref] = value
			}
			w := newWorld(t)
			var report excel.Report
			file := imports(t).Fill(t, all)
			added, err := w.add(t, w.flow.ID, rowsOf(t, template(t), file, &report), flow.AddConfig{})
			nothing(t, err, report, &report, added, flowexcel.Italian(&report, added, 0))
			imports(t).EachError(t, file, added.Errors, func(err error) { nothing(t, err) })
		})
	}
	for name, wrong := range map[string]map[string]any{
		"sent": {"B3": "Oggetto segreto"}, "unknown": {"B4": "Oggetto segreto"}, "short": {"B2": "segreto"}, "id": {"K2": "segreto"}, "state": {"L2": "segreto"}, "occasion": {"J4": "segreto"},
		"version": {"X2": "segreto"}, "column": {"B1": "Segreto"}, "duplicate": {"A2": citizen(3).Reveal(), "B2": draft(3).Subject.Reveal(), "C2": draft(3).Content.Reveal(), "D2": nil, "F2": nil, "E2": nil, "G2": nil, "H2": nil},
	} {
		t.Run("corrections/"+name, func(t *testing.T) {
			w := newWorld(t)
			w.seed(t, 2, refused)
			w.seed(t, 3, sent)
			w.seed(t, 4, failed(flow.CodeOutcomeUnknown))
			report, err := w.correct(t, w.edited(t, wrong), flowexcel.CorrectConfig{})
			require.Error(t, err)
			nothing(t, err, report, &report, report.Italian(0))
		})
	}
}
