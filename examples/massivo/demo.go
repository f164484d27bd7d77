package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

func (p *program) demo() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Mostra tutto il percorso, con un simulatore e un file di esempio",
		Long: `Compila un file di esempio con 200 righe, alcune con errori; lo controlla, lo importa e lo
invia a un simulatore di App IO in cui alcuni cittadini non si raggiungono e qualche volta la
piattaforma non risponde; corregge, invia di nuovo, e scrive l'esito. Nessun messaggio esce
da questa macchina, e non serve preparare niente.`,
		Args: cli.Args(0, 0),
	}
	folder := c.Flags().String("dir", "", "`cartella` nuova per i file; se manca, una fra quelle temporanee")
	c.RunE = func(c *cobra.Command, _ []string) error { return p.play(c.Context(), *folder) }
	return c
}

// play plays the whole way of a workbook. What it does, the other commands do too.
func (p *program) play(ctx context.Context, folder string) error {
	var err error
	if folder == "" {
		folder, err = os.MkdirTemp("", "massivo-")
	} else {
		err = os.Mkdir(folder, 0o700) // it must be new, so that the demo meets nothing that is somebody's
	}
	if err != nil {
		return cli.Explained("La cartella per i file della dimostrazione non si può creare: "+reason(err), err)
	}
	if folder, err = filepath.Abs(folder); err != nil { // or a name with = would be a location of PostgreSQL
		return err
	}
	platform := newPlatform()
	defer platform.Close()
	files := struct{ filled, marked, corrections, result string }{
		filepath.Join(folder, "avvisi.xlsx"), filepath.Join(folder, "avvisi-errori.xlsx"),
		filepath.Join(folder, "correzioni.xlsx"), filepath.Join(folder, "esito.xlsx"),
	}
	// It works like any other session, on a database and a platform of its own.
	p.settings.store, p.settings.url = filepath.Join(folder, "massivo.db"), platform.URL
	p.settings.live, p.settings.service, p.settings.keyFile, p.settings.key = false, sandboxService, "", sandboxKey
	p.settings.calls, p.settings.given, p.plays = demoCalls, "", true
	return p.within(ctx, func(s *session) error {
		s.step("1. L'ufficio compila il modello: 200 avvisi TARI, con qualche errore")
		if err := writeSample(ctx, files.filled); err != nil {
			return err
		}
		fmt.Fprintln(s.out, files.filled)

		s.step("2. Importazione: le righe con errori sono segnate, quelle senza errori importate")
		f, err := s.importFile(ctx, files.filled, importing{note: "TARI 2026, prima rata", marked: files.marked, goodRows: true})
		if err := expected(err, exitRows); err != nil {
			return err
		}

		s.step("3. Invio")
		how := sending{workers: 16, lease: 5 * time.Minute, profiles: true}
		if err := expected(s.sendFlow(ctx, f, how), exitIncomplete); err != nil {
			return err
		}

		s.step("4. L'operatore decide sugli esiti sconosciuti, chiedendo ai cittadini")
		if err := s.decideByAsking(ctx, f, platform); err != nil {
			return err
		}

		s.step("5. L'operatore esporta, corregge le righe in «Errore», e invia di nuovo")
		of := flow.NotificationFilter{Flow: f.ID}
		if err := s.exportTo(ctx, files.corrections, of, workbook{}, false); err != nil {
			return err
		}
		if err := correctSample(files.corrections); err != nil {
			return err
		}
		if _, err := s.correct(ctx, f, files.corrections, workbook{}, false); err != nil {
			return err
		}
		if f, err = s.Flow(ctx, s.by, f.ID); err != nil {
			return err
		}
		if err := expected(s.sendFlow(ctx, f, how), exitIncomplete); err != nil {
			return err
		}

		s.step("6. Esito")
		if err := s.exportTo(ctx, files.result, of, workbook{}, false); err != nil {
			return err
		}
		s.tellTruth(platform)
		fmt.Fprintf(s.out, "\nI file sono in %s\nPer guardare il flusso: go run ./examples/massivo --store %s show %s\n", cli.Name(folder), quoted(p.settings.store), f.ID)
		return nil
	})
}

func (s *session) step(title string) { fmt.Fprintf(s.out, "\n── %s\n\n", title) }

// expected passes over an exit code that belongs to the story.
func expected(err error, code int) error {
	var exit *cli.Exit
	if errors.As(err, &exit) && exit.Code == code {
		return exit.Err
	}
	return err
}

// decideByAsking resolves the unknown outcomes as the citizens tell: those who have the
// message are confirmed, the others get it again.
func (s *session) decideByAsking(ctx context.Context, f flow.Flow, platform *appiotest.Server) error {
	arrived := map[string]bool{}
	for _, d := range platform.Deliveries() {
		arrived[d.Recipient.Reveal()] = true
	}
	unknown, err := s.unknown(ctx, flow.NotificationFilter{Flow: f.ID})
	if err != nil {
		return err
	}
	s.tellNotifications(unknown)
	var have, lack []flow.Notification
	for _, n := range unknown {
		if arrived[n.Recipient.Reveal()] {
			have = append(have, n)
		} else {
			lack = append(lack, n)
		}
	}
	fmt.Fprintln(s.out, "Confermate come inviate, perché il cittadino ha il messaggio.")
	if err := s.decide(ctx, have, true, "il cittadino ha ricevuto il messaggio"); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "Da inviare di nuovo, perché il cittadino non ha niente.")
	return s.decide(ctx, lack, false, "il cittadino non ha ricevuto niente")
}

// tellTruth says what citizens really got.
func (s *session) tellTruth(platform *appiotest.Server) {
	times := map[string]int{}
	most := 0
	for _, d := range platform.Deliveries() {
		times[d.Recipient.Reveal()]++
		most = max(most, times[d.Recipient.Reveal()])
	}
	verdict := "nessuno ha ricevuto due volte lo stesso messaggio"
	if most > 1 {
		verdict = "qualcuno ha ricevuto più volte lo stesso messaggio"
	}
	fmt.Fprintf(s.out, "Registro del simulatore: messaggi consegnati a %s cittadini; %s.\n", italian.Number(len(times)), verdict)
}
