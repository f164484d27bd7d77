// Command modproxy writes modules of a checkout into a folder as a module proxy serves them, so that
// a module elsewhere can require them before they are released:
//
//	modproxy FOLDER VERSION MODULE-FOLDER…
//	GOPROXY=file://FOLDER,https://proxy.golang.org go get example.org/module@VERSION
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	if len(os.Args) < 4 {
		log.Fatal("usage: modproxy FOLDER VERSION MODULE-FOLDER…")
	}
	for _, folder := range os.Args[3:] {
		if err := pack(os.Args[1], os.Args[2], folder); err != nil {
			log.Fatal(err)
		}
	}
}

// pack writes a module: its list of versions, and the .info, .mod and .zip of one version.
func pack(proxy, version, folder string) error {
	text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return err
	}
	name := modfile.ModulePath(text)
	escaped, err := module.EscapePath(name)
	if err != nil {
		return err
	}
	to := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC()})
	if err != nil {
		return err
	}
	for file, content := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": info, version + ".mod": text} {
		if err := os.WriteFile(filepath.Join(to, file), content, 0o644); err != nil {
			return err
		}
	}
	archive, err := os.Create(filepath.Join(to, version+".zip"))
	if err != nil {
		return err
	}
	err = zip.CreateFromDir(archive, module.Version{Path: name, Version: version}, folder)
	if closed := archive.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
