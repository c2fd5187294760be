#include "apps/weights/weight_names.h"

#include <algorithm>
#include <array>
#include <utility>

namespace basin::apps {
namespace {

struct Rewriting {
  std::string_view theirs, ours;  // pieces of a name that has a dot before and behind it
};

// Networks here are named as in the source that docs/models.md gives. These are the other common names of the
// same tensors; the first piece that fits is put in place of theirs, line after line.
constexpr Rewriting kRewritings[] = {
    // ResNets: kuangliu/pytorch-cifar, akamaster/pytorch_resnet_cifar10.
    {".linear.", ".fc."},
    {".shortcut.", ".downsample."},
    // Vision transformers: files of torchvision's before its MLP became a module of its own.
    {".mlp.linear_1.", ".mlp.0."},
    {".mlp.linear_2.", ".mlp.3."},
    // Vision transformers: timm (huggingface/pytorch-image-models).
    {".cls_token.", ".class_token."},
    {".pos_embed.", ".encoder.pos_embedding."},
    {".patch_embed.proj.", ".conv_proj."},
    {".blocks.", ".encoder.layers.encoder_layer_"},
    {".norm1.", ".ln_1."},
    {".attn.qkv.weight.", ".self_attention.in_proj_weight."},
    {".attn.qkv.bias.", ".self_attention.in_proj_bias."},
    {".attn.proj.", ".self_attention.out_proj."},
    {".norm2.", ".ln_2."},
    {".mlp.fc1.", ".mlp.0."},
    {".mlp.fc2.", ".mlp.3."},
    {".norm.", ".encoder.ln."},
    {".head.", ".heads.head."},
    // ResNets: Hugging Face's transformers (ResNetForImageClassification); ".shortcut." is renamed above.
    {".resnet.", "."},
    {".embedder.embedder.convolution.", ".conv1."},
    {".embedder.embedder.normalization.", ".bn1."},
    {".encoder.stages.0.layers.", ".layer1."},
    {".encoder.stages.1.layers.", ".layer2."},
    {".encoder.stages.2.layers.", ".layer3."},
    {".encoder.stages.3.layers.", ".layer4."},
    {".downsample.convolution.", ".downsample.0."},
    {".downsample.normalization.", ".downsample.1."},
    {".layer.0.convolution.", ".conv1."},
    {".layer.0.normalization.", ".bn1."},
    {".layer.1.convolution.", ".conv2."},
    {".layer.1.normalization.", ".bn2."},
    {".layer.2.convolution.", ".conv3."},
    {".layer.2.normalization.", ".bn3."},
    {".classifier.1.", ".fc."},
    // Vision transformers: Hugging Face's transformers (ViTForImageClassification). Three tensors of theirs
    // are
    // one of ours: ":1" is the second third of its rows.
    {".vit.", "."},
    {".embeddings.class_token.", ".class_token."},  // ".cls_token." is renamed above
    {".embeddings.position_embeddings.", ".encoder.pos_embedding."},
    {".embeddings.patch_embeddings.projection.", ".conv_proj."},
    {".encoder.layer.", ".encoder.layers.encoder_layer_"},
    {".layernorm_before.", ".ln_1."},
    {".layernorm_after.", ".ln_2."},
    {".attention.attention.query.weight.", ".self_attention.in_proj_weight:0."},
    {".attention.attention.key.weight.", ".self_attention.in_proj_weight:1."},
    {".attention.attention.value.weight.", ".self_attention.in_proj_weight:2."},
    {".attention.attention.query.bias.", ".self_attention.in_proj_bias:0."},
    {".attention.attention.key.bias.", ".self_attention.in_proj_bias:1."},
    {".attention.attention.value.bias.", ".self_attention.in_proj_bias:2."},
    {".attention.output.dense.", ".self_attention.out_proj."},
    {".intermediate.dense.", ".mlp.0."},
    {".output.dense.", ".mlp.3."},
    {".layernorm.", ".encoder.ln."},
    {".classifier.", ".heads.head."},
};

constexpr std::array<std::string_view, 4> kWrappers = {"state_dict.", "module.", "model.", "_orig_mod."};

}  // namespace

std::string wrapper_prefix(const std::vector<std::string>& names) {
  std::string prefix;
  const auto all_begin_with = [&](const std::string& longer) {
    bool any = false;
    for (const std::string& name : names) {
      if (name == "n_averaged") continue;  // beside the wrapped network
      if (!name.starts_with(longer)) return false;
      any = true;
    }
    return any;
  };
  for (bool found = true; found;) {
    found = false;
    for (const std::string_view wrapper : kWrappers) {
      if (!all_begin_with(prefix + std::string(wrapper))) continue;
      prefix += wrapper;
      found = true;
    }
  }
  return prefix;
}

bool is_counter(std::string_view name) {
  return name.ends_with(".num_batches_tracked") || name == "num_batches_tracked" || name == "n_averaged";
}

std::optional<OurName> our_name(const std::string& theirs, const std::set<std::string>& ours) {
  if (ours.count(theirs) > 0) return OurName{theirs};
  std::string name = "." + theirs + ".";
  for (const Rewriting& r : kRewritings)
    if (const std::size_t at = name.find(r.theirs); at != std::string::npos)
      name.replace(at, r.theirs.size(), r.ours);
  name = name.substr(1, name.size() - 2);
  int third = OurName::kWhole;
  if (const std::size_t at = name.find(':'); at != std::string::npos && at + 2 == name.size()) {
    third = name[at + 1] - '0';
    name.resize(at);
  }
  if (ours.count(name) > 0) return OurName{name, third};
  return {};
}

}  // namespace basin::apps
