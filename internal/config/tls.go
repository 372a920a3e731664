package config

import (
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"

	"outrigger/proxy/keypair"
)

// TLS is what callers of the traffic listener that speak TLS are shown: the given
// certificate, or on a loopback listener one of the local authority's.
type TLS struct {
	// CertFile and KeyFile are in PEM, the chain with the leaf first. Both or none.
	CertFile string `env:"TLS_CERT_FILE" doc:"certificate chain, in PEM, for callers that speak TLS; read again when it changes" restart:"true"`
	KeyFile  string `env:"TLS_KEY_FILE" doc:"key of that certificate, in PEM" restart:"true"`
	// CADir is where the local authority is kept. Set, it is made at the start;
	// unset, on first need, in the user's configuration directory.
	CADir string `env:"CA_DIR" doc:"directory of the local certificate authority, made at the start if set; unset: outrigger in the user's configuration directory, made on first need" restart:"true"`
}

// checkTLS notes a proxy that would be open to others, files that are no certificate
// and key, and a directory that depends on where the process was started.
func checkTLS(c *Settings, found *mistakes) {
	const cert, key = Prefix + "TLS_CERT_FILE", Prefix + "TLS_KEY_FILE"
	if c.Callers.Intercept && !found.have(Prefix+"LISTEN") && !IsLoopback(c.Listen) {
		found.add(Prefix+"INTERCEPT", "on", "want off: "+Prefix+"LISTEN, which is "+c.Listen+", is not a loopback address, and whoever reaches it could use it as a proxy")
	}
	if c.TLS.CADir != "" && !filepath.IsAbs(c.TLS.CADir) {
		found.add(Prefix+"CA_DIR", c.TLS.CADir, "want an absolute path")
	}
	switch {
	case c.TLS.CertFile == "" && c.TLS.KeyFile == "":
	case c.TLS.KeyFile == "":
		found.add(key, "", "want the key of "+cert+", which is set")
	case c.TLS.CertFile == "":
		found.add(cert, "", "want the certificate of "+key+", which is set")
	default:
		if _, err := keypair.Load(c.TLS.CertFile, c.TLS.KeyFile, slog.New(slog.DiscardHandler)); err != nil {
			found.add(cert, c.TLS.CertFile, "want a certificate and, in "+key+", its key: "+pairReason(err))
		}
	}
}

// pairReason tells what is wrong with a certificate or its key: of a file that
// cannot be read, which one.
func pairReason(err error) string {
	if pathError, ok := err.(*fs.PathError); ok { //nolint:errorlint // it comes unwrapped
		return Presentable(pathError.Path) + ": " + pathError.Err.Error()
	}
	return err.Error()
}

// defaultCADir is the directory of the local authority where none is set: beside
// the configuration of the user's other programs, as os.UserConfigDir has it, but
// by environ alone. It is "" without a home.
func defaultCADir(environ []string) string {
	given := map[string]string{}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			given[name] = value
		}
	}
	for _, directory := range []string{given["XDG_CONFIG_HOME"], given["AppData"], filepath.Join(given["HOME"], ".config")} {
		if filepath.IsAbs(directory) {
			return filepath.Join(directory, "outrigger")
		}
	}
	return ""
}
