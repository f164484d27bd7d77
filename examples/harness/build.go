//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programs are the paths of the programs that were built.
type programs struct {
	massivo, segreteria string
	clock               string   // massivo with a clock that can be set; "" if it was not built
	self                string   // this program, as a worker
	paymentFiles        []string // settlements and journals for riconcilia
}

const module = "github.com/flussi-go/flussi/examples/"

// build builds the programs into a folder.
func build(ctx context.Context, folder string, clocks bool) (p programs, err error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return p, err
	}
	if p.self, err = os.Executable(); err != nil {
		return p, err
	}
	p.massivo, p.segreteria = filepath.Join(folder, "massivo"), filepath.Join(folder, "segreteria")
	for name, path := range map[string]string{"massivo": p.massivo, "segreteria": p.segreteria} {
		if err := goBuild(ctx, "-o", path, module+name); err != nil {
			return p, err
		}
	}
	said, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "github.com/flussi-go/flussi/pagoinrete/paymentfile").Output()
	if err != nil {
		return p, fmt.Errorf("go list: %w", err)
	}
	for _, name := range []string{"settlement-1.0.xml", "journal-1.8.xml", "journal-1.7.1-2.xml", "receipt-v1.xml"} {
		p.paymentFiles = append(p.paymentFiles, filepath.Join(strings.TrimSpace(string(said)), "testdata", name))
	}
	if clocks {
		overlay, err := writeClock(ctx, folder)
		if err != nil {
			return p, err
		}
		p.clock = filepath.Join(folder, "massivo-clock")
		if err := goBuild(ctx, "-overlay", overlay, "-o", p.clock, module+"massivo"); err != nil {
			return p, err
		}
	}
	return p, nil
}

func goBuild(ctx context.Context, args ...string) error {
	said, err := exec.CommandContext(ctx, "go", append([]string{"build"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build %v (in the checkout?): %w\n%s", args, err, said)
	}
	return nil
}
