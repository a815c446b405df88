package main

import (
	"context"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// fact is what a test holds a copy against.
type fact struct {
	Manifest string   `json:"manifest"`
	Config   string   `json:"config"`
	Layers   []string `json:"layers"`
}

// pushImages fills the registry with images of this size for each platform, and tells their digests by image and architecture.
func pushImages(address string, megabytes int) (map[string]map[string]fact, error) {
	base, err := platforms(nil, int64(megabytes)<<20)
	if err != nil {
		return nil, err
	}
	onTop, err := platforms(base, 1<<20)
	if err != nil {
		return nil, err
	}
	facts := map[string]map[string]fact{}
	push := push(address)
	for tag, images := range map[string]map[string]v1.Image{
		"prefecthq/prefect:3.9.1-python3.12":                   base,
		"prefecthq/prefect-aws:0.7.12-python3.12-prefect3.9.1": onTop,
	} {
		index, err := indexOf(images, types.OCIImageIndex)
		if err != nil {
			return nil, err
		}
		if err := push(tag, func(reference name.Reference, options ...remote.Option) error {
			return remote.WriteIndex(reference, index, options...)
		}); err != nil {
			return nil, err
		}
		if facts[tag], err = factsOf(images); err != nil {
			return nil, err
		}
	}

	// As older builders push: Docker's own media types, and an image of one platform without an index.
	older := map[string]v1.Image{}
	for architecture, image := range base {
		older[architecture] = docker(image)
	}
	list, err := indexOf(older, types.DockerManifestList)
	if err != nil {
		return nil, err
	}
	if err := push("library/docker-types:1", func(reference name.Reference, options ...remote.Option) error {
		return remote.WriteIndex(reference, list, options...)
	}); err != nil {
		return nil, err
	}
	if facts["library/docker-types:1"], err = factsOf(older); err != nil {
		return nil, err
	}
	single := map[string]v1.Image{"arm64": base["arm64"]}
	if err := push("library/single:1", func(reference name.Reference, options ...remote.Option) error {
		return remote.Write(reference, single["arm64"], options...)
	}); err != nil {
		return nil, err
	}
	facts["library/single:1"], err = factsOf(single)
	return facts, err
}

// platforms makes an image for each architecture, on top of another's where there is one.
func platforms(below map[string]v1.Image, bytes int64) (map[string]v1.Image, error) {
	images := map[string]v1.Image{}
	for _, architecture := range []string{"amd64", "arm64"} {
		image := v1.Image(mutate.MediaType(empty.Image, types.OCIManifestSchema1))
		image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
		if below != nil {
			image = below[architecture]
		}
		// As a Python image has them: a large one, several small ones, and one that is there twice.
		for _, share := range []int64{60, 30, 9, 1} {
			layer, err := random.Layer(bytes*share/100, types.OCILayer)
			if err != nil {
				return nil, err
			}
			layers := []v1.Layer{layer}
			if share == 1 {
				layers = append(layers, layer)
			}
			if image, err = mutate.AppendLayers(image, layers...); err != nil {
				return nil, err
			}
		}
		config, err := image.ConfigFile()
		if err != nil {
			return nil, err
		}
		config = config.DeepCopy()
		config.OS, config.Architecture = "linux", architecture
		if image, err = mutate.ConfigFile(image, config); err != nil {
			return nil, err
		}
		images[architecture] = image
	}
	return images, nil
}

// indexOf puts the images under one name, with an attestation as BuildKit adds it, whose platform is unknown.
func indexOf(images map[string]v1.Image, mediaType types.MediaType) (v1.ImageIndex, error) {
	attestation, err := random.Image(1024, 1)
	if err != nil {
		return nil, err
	}
	unknown := &v1.Platform{OS: "unknown", Architecture: "unknown"}
	addenda := []mutate.IndexAddendum{{Add: attestation, Descriptor: v1.Descriptor{Platform: unknown}}}
	for _, architecture := range []string{"arm64", "amd64"} {
		platform := &v1.Platform{OS: "linux", Architecture: architecture}
		if architecture == "arm64" {
			platform.Variant = "v8"
		}
		addenda = append(addenda, mutate.IndexAddendum{Add: images[architecture], Descriptor: v1.Descriptor{Platform: platform}})
	}
	return mutate.IndexMediaType(mutate.AppendManifests(empty.Index, addenda...), mediaType), nil
}

func docker(image v1.Image) v1.Image {
	return mutate.ConfigMediaType(mutate.MediaType(image, types.DockerManifestSchema2), types.DockerConfigJSON)
}

func factsOf(images map[string]v1.Image) (map[string]fact, error) {
	facts := map[string]fact{}
	for architecture, image := range images {
		digest, err := image.Digest()
		if err != nil {
			return nil, err
		}
		manifest, err := image.Manifest()
		if err != nil {
			return nil, err
		}
		found := fact{Manifest: digest.String(), Config: manifest.Config.Digest.String()}
		for _, layer := range manifest.Layers {
			found.Layers = append(found.Layers, layer.Digest.String())
		}
		facts[architecture] = found
	}
	return facts, nil
}

// push writes to the address as if it were Docker Hub's.
func push(address string) func(string, func(name.Reference, ...remote.Option) error) error {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	// Nothing here speaks TLS; the names and all else stay as they are.
	plain := &http.Transport{DialContext: dial, DialTLSContext: dial}
	return func(tag string, write func(name.Reference, ...remote.Option) error) error {
		reference, err := name.ParseReference(registryHost + "/" + tag)
		if err != nil {
			return err
		}
		return write(reference, remote.WithTransport(plain))
	}
}
