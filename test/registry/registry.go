package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/go-jose/go-jose/v4"
	"github.com/sirupsen/logrus"
)

const (
	service    = "registry.docker.io"
	issuerName = tokenHost
)

// issuer makes tokens that the registry trusts, with a certificate of its own.
type issuer struct {
	key         *ecdsa.PrivateKey
	certificate []byte
	bundle      string
}

func newIssuer(directory string) (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: issuerName},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	bundle := filepath.Join(directory, "issuer.pem")
	return &issuer{key, certificate, bundle}, os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600)
}

// serve answers as Docker Hub does: a token for anyone, to pull what its scope names.
func (i *issuer) serve(w http.ResponseWriter, r *http.Request, mayPush bool) {
	query := r.URL.Query()
	if query.Get("service") != service {
		http.Error(w, "unknown service", http.StatusBadRequest)
		return
	}
	access := []*token.ResourceActions{}
	for _, scope := range strings.Fields(strings.Join(query["scope"], " ")) {
		parts := strings.Split(scope, ":")
		if len(parts) != 3 || parts[0] != "repository" {
			continue
		}
		actions := []string{"pull"}
		if mayPush {
			actions = append(actions, "push")
		}
		access = append(access, &token.ResourceActions{Type: parts[0], Name: parts[1], Actions: actions})
	}
	signed, err := i.sign(access)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"token": signed, "access_token": signed, "expires_in": 300, "issued_at": time.Now().UTC()})
}

func (i *issuer) sign(access []*token.ResourceActions) (string, error) {
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("x5c", []string{base64.StdEncoding.EncodeToString(i.certificate)})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, options)
	if err != nil {
		return "", err
	}
	now := time.Now()
	claims, err := json.Marshal(&token.ClaimSet{
		Issuer:     issuerName,
		Audience:   []string{service},
		Expiration: now.Add(5 * time.Minute).Unix(),
		NotBefore:  now.Add(-time.Minute).Unix(),
		IssuedAt:   now.Unix(),
		Access:     access,
	})
	if err != nil {
		return "", err
	}
	signature, err := signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return signature.CompactSerialize()
}

func newRegistry(directory string, issuer *issuer) http.Handler {
	logrus.SetOutput(io.Discard)
	config := &configuration.Configuration{}
	config.Storage = configuration.Storage{
		"filesystem": configuration.Parameters{"rootdirectory": filepath.Join(directory, "storage")},
	}
	config.Auth = configuration.Auth{"token": configuration.Parameters{
		"realm":          "https://" + tokenHost + "/token",
		"service":        service,
		"issuer":         issuerName,
		"rootcertbundle": issuer.bundle,
	}}
	config.HTTP.Secret = "of a registry that lives as long as a test"
	config.Catalog.MaxEntries = 100
	return handlers.NewApp(context.Background(), config)
}
