// Executes cuDNN plans on the CPU. The plans, descriptors, heuristics and all validation are the REAL
// cuDNN's; only cudnnCreate/Destroy/SetStream/GetStream and cudnnBackendExecute are replaced (symbols in
// the program win over those of libcudnn.so). What is computed is read from the plan's own JSON, i.e. from
// what cuDNN itself understood: operation, ports, dims, strides, pads. Argument checks are strict.
// Also a small cuBLAS double (SGEMM), in place of libcublas.
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cudnn.h>
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/cuda/doubles/runtime_double.h"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};
struct cublasContext {
  cudaStream_t stream = nullptr;
};

namespace {

// ---- a very small JSON reader ----
struct Json {
  enum Kind { null, number, boolean, text, list, object } kind = null;
  double num = 0;
  std::string str;
  std::vector<Json> items;
  std::map<std::string, Json> fields;
  const Json& at(const char* k) const { return fields.at(k); }
  std::vector<long> longs() const {
    std::vector<long> v;
    for (const Json& j : items) v.push_back(static_cast<long>(j.num));
    return v;
  }
};
struct Reader {
  const char *p, *end;
  void ws() {
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) ++p;
  }
  Json value() {
    ws();
    Json j;
    if (*p == '{') {
      j.kind = Json::object;
      for (++p; ws(), *p != '}';) {
        std::string k = value().str;
        ws();
        ++p;
        j.fields[k] = value();
        ws();
        if (*p == ',') ++p;
      }
      ++p;
    } else if (*p == '[') {
      j.kind = Json::list;
      for (++p; ws(), *p != ']';) {
        j.items.push_back(value());
        ws();
        if (*p == ',') ++p;
      }
      ++p;
    } else if (*p == '"') {
      j.kind = Json::text;
      const char* b = ++p;
      while (*p != '"') p += *p == '\\' ? 2 : 1;
      j.str.assign(b, p++);
    } else if (*p == 't' || *p == 'f') {
      j.kind = Json::boolean;
      j.num = *p == 't';
      p += j.num != 0 ? 4 : 5;
    } else {
      char* e = nullptr;
      j.kind = Json::number;
      j.num = std::strtod(p, &e);
      p = e > p ? e : p + 4;  // "null"
    }
    return j;
  }
};

struct Tensor {
  long uid = 0;
  std::string type;
  std::vector<long> dim, stride;
  bool is_virtual = false, by_value = false;
  char* data = nullptr;
  std::vector<float> temp;
  size_t width() const { return type == "CUDNN_DATA_FLOAT" ? 4 : 2; }
  long count() const {
    long n = 1;
    for (long d : dim) n *= d;
    return n;
  }
  long extent() const {
    long e = 1;
    for (size_t i = 0; i < dim.size(); ++i) e += (dim[i] - 1) * stride[i];
    return e;
  }
  float get(long off) const {
    if (is_virtual) return temp[static_cast<size_t>(off)];
    if (type == "CUDNN_DATA_FLOAT") return reinterpret_cast<const float*>(data)[off];
    if (type == "CUDNN_DATA_BFLOAT16")
      return __bfloat162float(reinterpret_cast<const __nv_bfloat16*>(data)[off]);
    return __half2float(reinterpret_cast<const __half*>(data)[off]);
  }
  void put(long off, float v) {
    if (is_virtual)
      temp[static_cast<size_t>(off)] = v;
    else if (type == "CUDNN_DATA_FLOAT")
      reinterpret_cast<float*>(data)[off] = v;
    else if (type == "CUDNN_DATA_BFLOAT16")
      reinterpret_cast<__nv_bfloat16*>(data)[off] = __float2bfloat16(v);
    else
      reinterpret_cast<__half*>(data)[off] = __float2half(v);
  }
  long at(long n, long c, long h, long w) const {
    return n * stride[0] + c * stride[1] + h * stride[2] + w * stride[3];
  }
};
using Tensors = std::map<std::string, Tensor>;

void conv(const Json& n, Tensors& t) {
  const std::string& op = n.at("operation").str;
  const bool fwd = op.find("FORWARD") != std::string::npos,
             dgrad = op.find("BACKWARD_DATA") != std::string::npos;
  Tensor& x = t.at(n.at(dgrad ? "dX" : "X").str);
  Tensor& w = t.at(n.at(!fwd && !dgrad ? "dW" : "W").str);
  Tensor& y = t.at(n.at(fwd ? "Y" : "dY").str);
  const auto pad = n.at("pad").longs(), st = n.at("stride").longs(), dil = n.at("dilation").longs();
  const long N = x.dim[0], C = x.dim[1], H = x.dim[2], W = x.dim[3], K = w.dim[0], R = w.dim[2], S = w.dim[3],
             P = y.dim[2], Q = y.dim[3];
  Tensor& out = fwd ? y : dgrad ? x : w;
  std::vector<double> acc(static_cast<size_t>(out.extent()), 0.0);
  for (long b = 0; b < N; ++b)
    for (long k = 0; k < K; ++k)
      for (long p = 0; p < P; ++p)
        for (long q = 0; q < Q; ++q)
          for (long r = 0; r < R; ++r)
            for (long s = 0; s < S; ++s) {
              const long h = p * st[0] - pad[0] + r * dil[0], v = q * st[1] - pad[1] + s * dil[1];
              if (h < 0 || h >= H || v < 0 || v >= W) continue;
              for (long c = 0; c < C; ++c) {
                const long ix = x.at(b, c, h, v), iw = w.at(k, c, r, s), iy = y.at(b, k, p, q);
                if (fwd)
                  acc[static_cast<size_t>(iy)] += static_cast<double>(x.get(ix)) * w.get(iw);
                else if (dgrad)
                  acc[static_cast<size_t>(ix)] += static_cast<double>(y.get(iy)) * w.get(iw);
                else
                  acc[static_cast<size_t>(iw)] += static_cast<double>(y.get(iy)) * x.get(ix);
              }
            }
  for (long a = 0; a < out.dim[0]; ++a)
    for (long b = 0; b < out.dim[1]; ++b)
      for (long c = 0; c < out.dim[2]; ++c)
        for (long d = 0; d < out.dim[3]; ++d)
          out.put(out.at(a, b, c, d), static_cast<float>(acc[static_cast<size_t>(out.at(a, b, c, d))]));
}
void norm(const Json& n, Tensors& t) {
  const bool fwd = n.at("operation").str.find("FORWARD") != std::string::npos;
  auto port = [&](const char* k) -> Tensor& { return t.at(n.at(k).str); };
  Tensor& x = port("X");
  const long N = x.dim[0], C = x.dim[1], H = x.dim[2], W = x.dim[3];
  const double m = static_cast<double>(N * H * W);
  auto each = [&](auto f) {
    for (long b = 0; b < N; ++b)
      for (long h = 0; h < H; ++h)
        for (long w = 0; w < W; ++w) f(b, h, w);
  };
  for (long c = 0; c < C; ++c) {
    auto ch = [&](Tensor& v) { return v.at(0, c, 0, 0); };
    if (fwd) {
      const float eps = port("epsilonDesc").get(0), mom = port("expavgfactorDesc").get(0);
      double mu = 0, q = 0;
      each([&](long b, long h, long w) { mu += x.get(x.at(b, c, h, w)); });
      mu /= m;
      each([&](long b, long h, long w) {
        const double d = x.get(x.at(b, c, h, w)) - mu;
        q += d * d;
      });
      const double inv = 1 / std::sqrt(q / m + eps);
      Tensor &y = port("Y"), &g = port("Scale"), &b0 = port("Bias");
      each([&](long b, long h, long w) {
        y.put(y.at(b, c, h, w),
              static_cast<float>((x.get(x.at(b, c, h, w)) - mu) * inv * g.get(ch(g)) + b0.get(ch(b0))));
      });
      port("Mean").put(ch(port("Mean")), static_cast<float>(mu));
      port("InvVariance").put(ch(port("InvVariance")), static_cast<float>(inv));
      Tensor &rm = port("InRunningMean"), &rv = port("InRunningVar");
      port("OutRunningMean")
          .put(ch(port("OutRunningMean")), static_cast<float>((1 - mom) * rm.get(ch(rm)) + mom * mu));
      port("OutRunningVar")
          .put(ch(port("OutRunningVar")), static_cast<float>((1 - mom) * rv.get(ch(rv)) + mom * q / (m - 1)));
    } else {
      Tensor &dy = port("DY"), &dx = port("DX");
      const double mu = port("Mean").get(ch(port("Mean"))),
                   inv = port("InvVariance").get(ch(port("InvVariance"))),
                   g = port("Scale").get(ch(port("Scale")));
      double ds = 0, db = 0;
      each([&](long b, long h, long w) {
        const double d = dy.get(dy.at(b, c, h, w));
        db += d;
        ds += d * (x.get(x.at(b, c, h, w)) - mu) * inv;
      });
      each([&](long b, long h, long w) {
        const double xh = (x.get(x.at(b, c, h, w)) - mu) * inv;
        dx.put(dx.at(b, c, h, w),
               static_cast<float>(g * inv * (dy.get(dy.at(b, c, h, w)) - db / m - xh * ds / m)));
      });
      port("DScale").put(ch(port("DScale")), static_cast<float>(ds));
      port("DBias").put(ch(port("DBias")), static_cast<float>(db));
    }
  }
}
void pointwise(const Json& n, Tensors& t) {
  const std::string& mode = n.at("pointwiseMode").str;
  const bool bwd = mode.find("_BWD") != std::string::npos;
  Tensor& x = t.at(n.at("X").str);
  Tensor& y = t.at(n.at(bwd ? "dX" : "Y").str);
  Tensor* b = n.fields.contains("B") ? &t.at(n.at("B").str) : bwd ? &t.at(n.at("dY").str) : nullptr;
  auto bc = [](const Tensor& v, size_t d, long i) { return v.dim[d] == 1 ? 0 : i; };
  for (long i = 0; i < y.dim[0]; ++i)
    for (long j = 0; j < y.dim[1]; ++j)
      for (long k = 0; k < y.dim[2]; ++k)
        for (long l = 0; l < y.dim[3]; ++l) {
          const float v = x.get(x.at(i, j, k, l)),
                      o = b ? b->get(b->at(bc(*b, 0, i), bc(*b, 1, j), bc(*b, 2, k), bc(*b, 3, l))) : 0.0F;
          float r = NAN;
          if (mode == "CUDNN_POINTWISE_ADD")
            r = v + o;
          else if (mode == "CUDNN_POINTWISE_MUL")
            r = v * o;
          else if (mode == "CUDNN_POINTWISE_RELU_FWD")
            r = v > 0 ? v : 0;
          else if (mode == "CUDNN_POINTWISE_RELU_BWD")
            r = v > 0 ? o : 0;
          y.put(y.at(i, j, k, l), r);
        }
}

struct Pack {
  std::vector<int64_t> uids;
  std::vector<void*> ptrs;
  void* workspace = nullptr;
};
std::map<cudnnBackendDescriptor_t, Pack> packs;  // cuDNN does not give a variant pack's contents back
template <class F>
F real(F, const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

struct Program {
  std::vector<Tensor> tensors;
  std::vector<Json> nodes;
  int64_t workspace = 0;
};
std::map<cudnnBackendDescriptor_t, std::shared_ptr<Program>> cache;
std::shared_ptr<Program> decode(cudnnBackendDescriptor_t plan) {
  if (auto it = cache.find(plan); it != cache.end()) return it->second;
  int64_t n = 0;
  if (cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0, &n,
                               nullptr) != CUDNN_STATUS_SUCCESS)
    return nullptr;
  std::string s(static_cast<size_t>(n), '\0');
  cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, n, &n,
                           s.data());
  Reader rd{s.data(), s.data() + s.size()};
  Json j = rd.value();
  auto prog = std::make_shared<Program>();
  for (const Json& t : j.at("operationGraph").at("tensors").items) {
    Tensor v;
    v.uid = std::stol(t.at("name").str);
    v.type = t.at("dataType").str;
    v.dim = t.at("dim").longs();
    v.stride = t.at("stride").longs();
    v.is_virtual = t.at("isVirtual").num != 0;
    v.by_value = t.at("isByValue").num != 0;
    prog->tensors.push_back(v);
  }
  prog->nodes = j.at("operationGraph").at("nodes").items;
  cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &n,
                           &prog->workspace);
  return cache[plan] = prog;
}
cudnnStatus_t refuse(const char* why, long uid = -1) {
  std::fprintf(stderr, "cudnn double: %s (uid %ld)\n", why, uid);
  return CUDNN_STATUS_BAD_PARAM;
}
// range check through the runtime double: a zero-length copy of the right kind would not do, so ask byte-wise
bool device_range(const void* p, size_t n) {
  return fake::device_accessible(p) && fake::device_accessible(static_cast<const char*>(p) + n - 1);
}

}  // namespace

extern "C" {
cudnnStatus_t cudnnCreate(cudnnHandle_t* h) {
  *h = new cudnnContext;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t h) {
  delete h;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t h, cudaStream_t s) {
  h->stream = s;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetStream(cudnnHandle_t h, cudaStream_t* s) {
  *s = h->stream;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t a,
                                       cudnnBackendAttributeType_t t, int64_t n, const void* v) {
  if (a == CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS)
    packs[d].uids.assign(static_cast<const int64_t*>(v), static_cast<const int64_t*>(v) + n);
  if (a == CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS)
    packs[d].ptrs.assign(static_cast<void* const*>(v), static_cast<void* const*>(v) + n);
  if (a == CUDNN_ATTR_VARIANT_PACK_WORKSPACE) packs[d].workspace = *static_cast<void* const*>(v);
  static const auto f = real(&cudnnBackendSetAttribute, "cudnnBackendSetAttribute");
  return f(d, a, t, n, v);
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t d) {
  packs.erase(d);
  cache.erase(d);
  static const auto f = real(&cudnnBackendDestroyDescriptor, "cudnnBackendDestroyDescriptor");
  return f(d);
}
cudnnStatus_t cudnnBackendExecute(cudnnHandle_t h, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack) {
  if (!h->stream) return refuse("no stream set on the handle");
  auto prog = decode(plan);
  if (!prog) return refuse("plan without JSON");
  if (!packs.contains(pack)) return refuse("no variant pack");
  const auto& [uids, ptrs, ws_] = packs[pack];
  void* ws = ws_;
  const auto n = static_cast<int64_t>(uids.size()), m = static_cast<int64_t>(ptrs.size());
  if (n != m) return refuse("variant pack: as many pointers as uids");
  if (prog->workspace > 0 && (!ws || !device_range(ws, static_cast<size_t>(prog->workspace))))
    return refuse("workspace missing or too small");
  auto tensors = std::make_shared<Tensors>();
  std::set<long> used;
  for (Tensor t : prog->tensors) {
    if (t.is_virtual)
      t.temp.assign(static_cast<size_t>(t.extent()), NAN);
    else {
      auto it = std::find(uids.begin(), uids.begin() + n, t.uid);
      if (it == uids.begin() + n) return refuse("variant pack lacks a tensor", t.uid);
      used.insert(t.uid);
      void* p = ptrs[static_cast<size_t>(it - uids.begin())];
      if (t.by_value) {
        if (fake::device_accessible(p)) return refuse("by-value tensor given as device pointer", t.uid);
        t.is_virtual = true;  // the value is taken now, as cuDNN does
        t.temp = {*static_cast<float*>(p)};
      } else {
        if (!device_range(p, static_cast<size_t>(t.extent()) * t.width()))
          return refuse("tensor is not device memory of its full extent", t.uid);
        if (reinterpret_cast<uintptr_t>(p) % 16 != 0) return refuse("tensor pointer misaligned", t.uid);
        t.data = static_cast<char*>(p);
      }
    }
    (*tensors)[std::to_string(t.uid)] = t;
  }
  if (static_cast<int64_t>(used.size()) != n)
    return refuse("variant pack holds tensors that the graph does not use");
  auto status = fake::enqueue_work(h->stream, [prog, tensors, ws] {
    if (ws) std::memset(ws, 0xEE, static_cast<size_t>(prog->workspace));
    for (const Json& node : prog->nodes) {
      const std::string& op = node.at("operation").str;
      if (op.find("CONVOLUTION") != std::string::npos)
        conv(node, *tensors);
      else if (op.find("NORM_") != std::string::npos)
        norm(node, *tensors);
      else if (op.find("POINTWISE") != std::string::npos)
        pointwise(node, *tensors);
      else {
        std::fprintf(stderr, "cudnn double: no reference for %s\n", op.c_str());
        std::abort();
      }
    }
  });
  return status == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
}

cublasStatus_t cublasCreate_v2(cublasHandle_t* h) {
  *h = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t h) {
  delete h;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t h, cudaStream_t s) {
  h->stream = s;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSgemm_v2(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n,
                              int k, const float* alpha, const float* A, int lda, const float* B, int ldb,
                              const float* beta, float* C, int ldc) {
  const int ra = ta == CUBLAS_OP_N ? m : k, ca = ta == CUBLAS_OP_N ? k : m, rb = tb == CUBLAS_OP_N ? k : n,
            cb = tb == CUBLAS_OP_N ? n : k;
  if (!h->stream || m < 0 || n < 0 || k < 0 || lda < std::max(1, ra) || ldb < std::max(1, rb) ||
      ldc < std::max(1, m))
    return CUBLAS_STATUS_INVALID_VALUE;
  auto len = [](int ld, int rows, int cols) {
    return (static_cast<size_t>(ld) * static_cast<size_t>(cols - 1) + static_cast<size_t>(rows)) * 4;
  };
  if (!device_range(A, len(lda, ra, ca)) || !device_range(B, len(ldb, rb, cb)) ||
      !device_range(C, len(ldc, m, n)))
    return CUBLAS_STATUS_INVALID_VALUE;
  const float a = *alpha, b = *beta;
  auto st = fake::enqueue_work(h->stream, [=] {
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < m; ++i) {
        double s = 0;
        for (int l = 0; l < k; ++l)
          s +=
              static_cast<double>(ta == CUBLAS_OP_N ? A[i + static_cast<size_t>(l) * lda]
                                                    : A[l + static_cast<size_t>(i) * lda]) *
              (tb == CUBLAS_OP_N ? B[l + static_cast<size_t>(j) * ldb] : B[j + static_cast<size_t>(l) * ldb]);
        float& c = C[i + static_cast<size_t>(j) * ldc];
        c = static_cast<float>(a * s + (b == 0 ? 0.0 : static_cast<double>(b) * c));
      }
  });
  return st == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
}
