package noticeexcel_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

func TestAnExportTellsEverythingOfANotice(t *testing.T) {
	plain := pagoinrete.Notice{ID: uuid.MustParse("9e0beb0b-464d-4e91-8de9-2885bccac7d9"), State: pagoinrete.NoticeNotLinked, Instalment: 1, UpdatedBy: "a.verdi",
		NoticeData: pagoinrete.NoticeData{Debtor: person(3), DebtorKind: pagoinrete.DebtorStaff, Amount: 5_000, DueDate: endOfDay(t, 2099, 3, 31)}}
	f, rows := open(t, export(t, given(whole(t), plain)))
	require.Len(t, rows, 3, "no sum: saved as CSV, it would be a row")
	assert.Equal(t, exportHeaders, rows[0])
	assert.Equal(t, []string{
		person(1).Reveal(), "Rossi Maria", "alunno", person(2).Reveal(), "2", "50.00", "5.00", "31/03/2099", "GITA-1", "45.00",
		"7cc0c865-87fd-4002-92ec-7952f211640d", "Pagato", "Pagato (Pagato online)", "Pagato", "301005100001400678", whole(t).IUV().Reveal(),
		"Sì", "Sì", "Sì", "L'avviso risulta pagato più di una volta.", "Sì", "Importo non ammesso.", "PIR-1", "a.verdi", "28/02/2099 17:47:53",
		"RT-1", "45.00", "01/04/2099", "RIV-1", "45.01", "02/04/2099", "OIL-1", "45.02", "03/04/2099", "m.neri",
		"BOLL-1", "45.03", "04/04/2099", "l.bianchi", "MAND-1", "45.04", "05/04/2099", "p.verdi",
	}, rows[1])
	assert.Equal(t, []string{
		person(3).Reveal(), "", "personale", "", "1", "50.00", "0.00", "31/03/2099", "", "50.00",
		"9e0beb0b-464d-4e91-8de9-2885bccac7d9", "Non collegato a Pago in Rete", "Non collegato a Pago in Rete", "Non collegato a Pago in Rete", "", "",
		"No", "No", "No", "", "No", "", "", "a.verdi",
	}, rows[2])

	// Typed: amounts and dates are numbers, codes are text.
	for ref, kind := range map[string]excelize.CellType{"A2": excelize.CellTypeInlineString, "F2": excelize.CellTypeNumber, "H2": excelize.CellTypeNumber, "O2": excelize.CellTypeInlineString, "P2": excelize.CellTypeInlineString} {
		got, err := f.GetCellType("Avvisi", ref)
		require.NoError(t, err)
		if got == excelize.CellTypeUnset {
			got = excelize.CellTypeNumber
		}
		assert.Equal(t, kind, got, ref)
	}
}

// Each state has its three names.
func TestAnExportNamesEveryStateForEachAudience(t *testing.T) {
	for _, state := range []pagoinrete.NoticeState{pagoinrete.NoticeNotLinked, pagoinrete.NoticeNotNotified, pagoinrete.NoticeNotified, pagoinrete.NoticeAwaitingReceipt,
		pagoinrete.NoticePaidOnline, pagoinrete.NoticePaidManually, pagoinrete.NoticeConfirmed, pagoinrete.NoticeReconciled, pagoinrete.NoticeReconciledManually,
		pagoinrete.NoticeCancelled, pagoinrete.NoticeRefunded} {
		n := whole(t)
		n.State = state
		_, rows := open(t, export(t, given(n)))
		labels := state.Labels()
		assert.Equal(t, []string{labels.Macro, labels.School, labels.Family}, rows[1][11:14])
	}
}

// Who opens an export months later finds in it what it is for.
func TestAnExportsGuideSaysThatItIsToBeRead(t *testing.T) {
	f, _ := open(t, export(t, given(whole(t))))
	rows, err := f.GetRows("Guida Rapida")
	require.NoError(t, err)
	guide := map[string][]string{}
	var text strings.Builder
	for _, row := range rows {
		if len(row) > 2 {
			guide[row[0]] = row
		} else if len(row) > 0 {
			text.WriteString(row[0] + "\n")
		}
	}
	for _, header := range exportHeaders {
		require.Contains(t, guide, header)
		assert.Equal(t, "No, sola lettura", guide[header][1], header)
		assert.Greater(t, len(guide[header][2]), 7, header)
	}
	assert.Contains(t, text.String(), "Il file non si può importare")
	assert.NotContains(t, text.String(), "Si compila il foglio")
}

// Whatever is in a store can be exported, whoever put it there.
func TestAnyNoticeCanBeExported(t *testing.T) {
	strange := whole(t)
	strange.State, strange.DebtorKind, strange.Discrepancy.Kind, strange.Discrepancy.State = "frozen", "guest", "melted", "thawed"
	strange.DueDate = time.Date(1800, 1, 1, 12, 0, 0, 0, time.UTC)
	strange.Instalment, strange.Amount, strange.Discount = -1, -500, 1<<60
	strange.DebtorName = flussi.NewText("=cmd|' /C calc'!A0\x01")
	strange.Evidence.Receipt.Amount = -1
	_, rows := open(t, export(t, given(strange, pagoinrete.Notice{})))
	require.Len(t, rows, 3)
	assert.Equal(t, "guest", rows[1][2])
	assert.Equal(t, "frozen", rows[1][12])
	assert.True(t, strings.HasPrefix(rows[1][1], "=cmd|"), "a text, no formula")
}

func TestAnExportEndsWithTheSequencesError(t *testing.T) {
	down := errors.New("database down")
	err := template(t).Export(t.Context(), io.Discard, func(yield func(pagoinrete.Notice, error) bool) {
		if yield(whole(t), nil) {
			yield(pagoinrete.Notice{}, down)
		}
	})
	assert.Equal(t, down, err)
}

// An export is refused as an import whoever has saved it.
func TestAnExportIsRefusedWhoeverHasSavedIt(t *testing.T) {
	files := map[string][]byte{"ours": export(t, given(whole(t)))}
	files["excelize"] = edited(t, files["ours"], nil)
	if _, err := exec.LookPath("soffice"); err == nil { // the gate has it
		files["LibreOffice"] = soffice(t, "xlsx", "avvisi.xlsx", files["ours"])
		files["LibreOffice's CSV"] = soffice(t, "csv", "avvisi.xlsx", files["ours"])
	}
	for name, file := range files {
		rows, errs, report := read(t, file)
		assert.Empty(t, rows, name)
		require.Len(t, errs, 1, name)
		assert.Contains(t, report.Italian(), "Il file è un'esportazione", name)
	}
}

// The template survives LibreOffice, empty and filled in.
func TestTheTemplateComesBackFromLibreOffice(t *testing.T) {
	if _, err := exec.LookPath("soffice"); err != nil {
		t.Skipf("LibreOffice is not installed: %v", err)
	}
	var blank bytes.Buffer
	require.NoError(t, template(t).Blank(t.Context(), &blank))
	saved := soffice(t, "xlsx", "modello.xlsx", blank.Bytes())
	want := pagoinrete.NoticeDraft{Debtor: person(1), DebtorKind: pagoinrete.DebtorPupil, DebtorName: flussi.NewText("Rossi Maria"), Payer: person(2), Instalment: 3,
		Amount: 2_000, Discount: 1_236, DueDate: endOfDay(t, 2099, 6, 3), Reference: "GITA-1"}
	file := edited(t, saved, map[string]any{"A2": want.Debtor.Reveal(), "B2": want.DebtorName.Reveal(), "C2": "alunno", "D2": want.Payer.Reveal(), "E2": 3,
		"F2": 20, "G2": 12.36, "H2": "03/06/2099", "I2": want.Reference})
	for _, file := range [][]byte{file, soffice(t, "xlsx", "modello.xlsx", file)} {
		rows, errs, report := read(t, file)
		require.Empty(t, errs, report.Italian())
		assert.False(t, report.Outdated)
		assert.Equal(t, []pagoinrete.NoticeRow{{Number: 2, Draft: want}}, rows)
	}
}

// soffice converts a file with LibreOffice.
func soffice(t testing.TB, to, name string, data []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(source, data, 0o600))
	out := filepath.Join(dir, "out")
	command := exec.CommandContext(t.Context(), "soffice", "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--convert-to", to, "--outdir", out, source)
	text, err := command.CombinedOutput()
	require.NoError(t, err, "%s", text)
	made, err := os.ReadFile(filepath.Join(out, strings.TrimSuffix(name, filepath.Ext(name))+"."+to))
	require.NoError(t, err, "%s", text)
	return made
}
