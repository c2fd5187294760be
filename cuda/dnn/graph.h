// Minimal RAII layer over cuDNN 9's backend (graph) API: descriptors, operation graphs, plans.
// Prototype. Works in two modes: with a cudnnHandle_t (device present) and "deviceless", where a
// device-properties descriptor stands in for the device so that graphs can be validated, queried
// for engines and compiled to plans on a machine that has no GPU (cuDNN >= 9.8; JSON >= 9.11).
#pragma once
#include <cudnn.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dnn {

struct Error : std::runtime_error {
  cudnnStatus_t status;
  Error(cudnnStatus_t s, const std::string& what) : std::runtime_error(what), status(s) {}
};

inline void check(cudnnStatus_t s, const char* what) {
  if (s == CUDNN_STATUS_SUCCESS) return;
  char msg[2048] = "";
  cudnnGetLastErrorString(msg, sizeof msg);
  throw Error(s, std::string(what) + ": " + cudnnGetErrorString(s) + " [" + msg + "]");
}

// Maps a C++ type to the attribute-type tag that the backend API wants beside the value.
template <class T>
struct Tag;
#define DNN_TAG(T, V)                \
  template <>                        \
  struct Tag<T> {                    \
    static constexpr auto value = V; \
  }
DNN_TAG(int64_t, CUDNN_TYPE_INT64);
DNN_TAG(float, CUDNN_TYPE_FLOAT);
DNN_TAG(double, CUDNN_TYPE_DOUBLE);
DNN_TAG(bool, CUDNN_TYPE_BOOLEAN);
DNN_TAG(char, CUDNN_TYPE_CHAR);
DNN_TAG(cudnnHandle_t, CUDNN_TYPE_HANDLE);
DNN_TAG(cudnnDataType_t, CUDNN_TYPE_DATA_TYPE);
DNN_TAG(cudnnConvolutionMode_t, CUDNN_TYPE_CONVOLUTION_MODE);
DNN_TAG(cudnnBackendHeurMode_t, CUDNN_TYPE_HEUR_MODE);
DNN_TAG(cudnnPointwiseMode_t, CUDNN_TYPE_POINTWISE_MODE);
DNN_TAG(cudnnGenStatsMode_t, CUDNN_TYPE_GENSTATS_MODE);
DNN_TAG(cudnnBnFinalizeStatsMode_t, CUDNN_TYPE_BN_FINALIZE_STATS_MODE);
DNN_TAG(cudnnReduceTensorOp_t, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE);
DNN_TAG(cudnnResampleMode_t, CUDNN_TYPE_RESAMPLE_MODE);
DNN_TAG(cudnnPaddingMode_t, CUDNN_TYPE_PADDING_MODE);
DNN_TAG(cudnnBackendNormMode_t, CUDNN_TYPE_NORM_MODE);
DNN_TAG(cudnnBackendNormFwdPhase_t, CUDNN_TYPE_NORM_FWD_PHASE);
DNN_TAG(cudnnBackendNumericalNote_t, CUDNN_TYPE_NUMERICAL_NOTE);
DNN_TAG(cudnnBackendBehaviorNote_t, CUDNN_TYPE_BEHAVIOR_NOTE);
DNN_TAG(cudnnBackendDescriptor_t,
        CUDNN_TYPE_BACKEND_DESCRIPTOR);  // is void*: plain pointers go through set_pointers
#undef DNN_TAG

class Desc {
 public:
  Desc() = default;
  explicit Desc(cudnnBackendDescriptorType_t t) {
    cudnnBackendDescriptor_t p = nullptr;
    check(cudnnBackendCreateDescriptor(t, &p), "cudnnBackendCreateDescriptor");
    p_ = std::shared_ptr<void>(p, [](void* q) { cudnnBackendDestroyDescriptor(q); });
  }
  cudnnBackendDescriptor_t get() const { return p_.get(); }
  explicit operator bool() const { return p_ != nullptr; }

  template <class T>
  Desc& set(cudnnBackendAttributeName_t a, const T& v) {
    return raw(a, Tag<T>::value, 1, &v);
  }
  Desc& set(cudnnBackendAttributeName_t a, const Desc& d) {
    auto p = d.get();
    keep_.push_back(d);
    return raw(a, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &p);
  }
  Desc& set(cudnnBackendAttributeName_t a, const std::vector<int64_t>& v) {
    return raw(a, CUDNN_TYPE_INT64, static_cast<int64_t>(v.size()), v.data());
  }
  Desc& set(cudnnBackendAttributeName_t a, const std::string& s) {
    return raw(a, CUDNN_TYPE_CHAR, static_cast<int64_t>(s.size()), s.data());
  }
  Desc& set(cudnnBackendAttributeName_t a, const std::vector<Desc>& ds) {
    std::vector<cudnnBackendDescriptor_t> raws;
    for (const Desc& d : ds) {
      raws.push_back(d.get());
      keep_.push_back(d);
    }
    return raw(a, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<int64_t>(raws.size()), raws.data());
  }
  Desc& set_pointers(cudnnBackendAttributeName_t a, const std::vector<void*>& v) {
    return raw(a, CUDNN_TYPE_VOID_PTR, static_cast<int64_t>(v.size()), v.data());
  }
  Desc& finalize(const char* what) {
    check(cudnnBackendFinalize(get()), what);
    return *this;
  }

  template <class T>
  std::vector<T> get_list(cudnnBackendAttributeName_t a, int64_t max) const {
    std::vector<T> v(static_cast<size_t>(max));
    int64_t n = 0;
    check(cudnnBackendGetAttribute(get(), a, Tag<T>::value, max, &n, v.data()), "cudnnBackendGetAttribute");
    v.resize(static_cast<size_t>(n < max ? n : max));
    return v;
  }
  int64_t get_int(cudnnBackendAttributeName_t a) const {
    auto v = get_list<int64_t>(a, 1);
    return v.empty() ? 0 : v[0];
  }

 private:
  Desc& raw(cudnnBackendAttributeName_t a, cudnnBackendAttributeType_t t, int64_t n, const void* p) {
    check(cudnnBackendSetAttribute(get(), a, t, n, p), "cudnnBackendSetAttribute");
    return *this;
  }
  std::shared_ptr<void> p_;
  std::vector<Desc> keep_;  // whatever this descriptor points to stays alive with it
};

// Device description for deviceless use. The values are those that cudaGetDeviceProperties reports.
inline Desc device_properties(const std::string& json) {
  Desc d(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  d.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, json);
  d.finalize("device properties");
  return d;
}

inline Desc device_properties(int32_t device_id) {  // of a device that is present
  Desc d(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  check(cudnnBackendSetAttribute(d.get(), CUDNN_ATTR_DEVICEPROP_DEVICE_ID, CUDNN_TYPE_INT32, 1, &device_id),
        "device id");
  return d.finalize("device properties");
}

struct PlanInfo {
  int64_t engine = -1, workspace = 0;
  bool tensor_core = false, nondeterministic = false, down_convert = false, graph_native = false,
       runtime_compiled = false;
  bool loaded =
      true;  // false: compiled for the described device, but there is no driver to load the code into
};

class Graph {
 public:
  Graph(cudnnDataType_t io, cudnnDataType_t compute) : io_(io), compute_(compute) {}

  // dims in logical N,C,H,W order; strides say the layout (channels-last by default)
  Desc tensor(std::vector<int64_t> dims, cudnnDataType_t t, bool is_virtual = false, bool by_value = false,
              std::vector<int64_t> strides = {}) {
    if (strides.empty()) strides = nhwc(dims);
    Desc d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    d.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, ++uid_)
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, t)
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims)
        .set(CUDNN_ATTR_TENSOR_STRIDES, strides)
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, int64_t{16})
        .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual);
    if (by_value) d.set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, true);
    return d.finalize("tensor");
  }
  Desc tensor(std::vector<int64_t> dims) { return tensor(std::move(dims), io_); }
  Desc temp(std::vector<int64_t> dims) { return tensor(std::move(dims), compute_, true); }
  Desc scalar(cudnnDataType_t t) { return tensor({1, 1, 1, 1}, t, false, true); }
  int64_t last_uid() const { return uid_; }

  static std::vector<int64_t> nhwc(const std::vector<int64_t>& d) {
    std::vector<int64_t> s(d.size());
    s[1] = 1;
    int64_t run = d[1];
    for (size_t i = d.size() - 1; i >= 2; --i) {
      s[i] = run;
      run *= d[i];
    }
    s[0] = run;
    return s;
  }

  Desc conv(std::vector<int64_t> pad, std::vector<int64_t> stride, std::vector<int64_t> dil) {
    Desc d(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    d.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, compute_)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, static_cast<int64_t>(pad.size()))
        .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, pad)
        .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, pad)
        .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, stride)
        .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, dil);
    return d.finalize("convolution");
  }
  void conv_fprop(const Desc& c, const Desc& x, const Desc& w, const Desc& y) {
    Desc d(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, c)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f);
    add(d, "conv_fprop");
  }
  void conv_dgrad(const Desc& c, const Desc& dy, const Desc& w, const Desc& dx) {
    Desc d(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, c)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, dy)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, w)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, dx)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1.0f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.0f);
    add(d, "conv_dgrad");
  }
  void conv_wgrad(const Desc& c, const Desc& dy, const Desc& x, const Desc& dw) {
    Desc d(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, c)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, dy)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, x)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, dw)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1.0f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0.0f);
    add(d, "conv_wgrad");
  }
  void pointwise(cudnnPointwiseMode_t m, const Desc& x, const Desc* b, const Desc& y) {
    Desc p(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    p.set(CUDNN_ATTR_POINTWISE_MODE, m).set(CUDNN_ATTR_POINTWISE_MATH_PREC, compute_).finalize("pointwise");
    Desc d(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, p)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    if (b) d.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
    add(d, "pointwise");
  }
  void relu_bwd(const Desc& dy, const Desc& x, const Desc& dx) {
    Desc p(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    p.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_RELU_BWD)
        .set(CUDNN_ATTR_POINTWISE_MATH_PREC, compute_)
        .finalize("pointwise");
    Desc d(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, p)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, dy)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_DXDESC, dx);
    add(d, "relu_bwd");
  }
  void genstats(const Desc& x, const Desc& sum, const Desc& sqsum) {
    Desc d(CUDNN_BACKEND_OPERATION_GEN_STATS_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_GENSTATS_MODE, CUDNN_GENSTATS_SUM_SQSUM)
        .set(CUDNN_ATTR_OPERATION_GENSTATS_MATH_PREC, compute_)
        .set(CUDNN_ATTR_OPERATION_GENSTATS_XDESC, x)
        .set(CUDNN_ATTR_OPERATION_GENSTATS_SUMDESC, sum)
        .set(CUDNN_ATTR_OPERATION_GENSTATS_SQSUMDESC, sqsum);
    add(d, "genstats");
  }
  struct BnFwd {
    Desc x, scale, bias, eps, momentum, run_mean, run_var, y, mean, invstd, new_mean, new_var;
  };
  void batchnorm_train(const BnFwd& t) {
    Desc d(CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_NORM_FWD_MODE, CUDNN_BATCH_NORM)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE, CUDNN_NORM_FWD_TRAINING)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, t.x)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC, t.scale)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC, t.bias)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC, t.eps)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC, t.momentum)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC, t.run_mean)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC, t.run_var)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC, t.new_mean)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC, t.new_var)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, t.mean)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC, t.invstd)
        .set(CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, t.y);
    add(d, "batchnorm_train");
  }
  struct BnBwd {
    Desc dy, x, scale, mean, invstd, dx, dscale, dbias;
  };
  void batchnorm_bwd(const BnBwd& t) {
    Desc d(CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_NORM_BWD_MODE, CUDNN_BATCH_NORM)
        .set(CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC, t.dy)
        .set(CUDNN_ATTR_OPERATION_NORM_BWD_XDESC, t.x)
        .set(CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC, t.scale)
        .set(CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC, t.mean)
        .set(CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC, t.invstd)
        .set(CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC, t.dx)
        .set(CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC, t.dscale)
        .set(CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC, t.dbias);
    add(d, "batchnorm_bwd");
  }
  void reduce_add(const Desc& x, const Desc& y) {
    Desc r(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    r.set(CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_REDUCE_TENSOR_ADD)
        .set(CUDNN_ATTR_REDUCTION_COMP_TYPE, compute_)
        .finalize("reduction");
    Desc d(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, r)
        .set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x)
        .set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y);
    add(d, "reduction");
  }
  void matmul(const Desc& a, const Desc& b, const Desc& c) {
    Desc m(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    m.set(CUDNN_ATTR_MATMUL_COMP_TYPE, compute_).finalize("matmul");
    Desc d(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    d.set(CUDNN_ATTR_OPERATION_MATMUL_DESC, m)
        .set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, a)
        .set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, b)
        .set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, c);
    add(d, "matmul");
  }

  // Validates the graph, asks the heuristics for engine configurations, compiles the first that
  // passes the filter and finalizes. Exactly one of handle / device properties is given.
  PlanInfo build(cudnnHandle_t handle, const Desc& props, bool deterministic) {
    Desc g(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    g.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, ops_);
    if (handle) g.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
    g.finalize("operation graph");
    std::string why = "no engine offered";
    n_offered = n_filtered = 0;
    for (auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
      std::vector<Desc> cfgs;
      try {
        cfgs = heuristics(g, mode, props);
      } catch (const Error& e) {
        why = e.what();
        continue;
      }
      for (Desc& cfg : cfgs) {
        ++n_offered;
        PlanInfo info = describe(cfg);
        if (deterministic && info.nondeterministic) {
          ++n_filtered;
          continue;
        }
        try {
          Desc plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
          if (handle)
            plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle);
          else
            plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, props);
          plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, cfg).finalize("execution plan");
          info.workspace = plan.get_int(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
          plan_ = plan;
          return info;
        } catch (const Error& e) {
          // Without a driver a run-time compiled engine gets as far as handing its code to the driver.
          if (!handle && e.status == CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER) {
            info.loaded = false;
            info.workspace = -1;
            return info;
          }
          why = e.what();
        }
      }
    }
    throw Error(CUDNN_STATUS_NOT_SUPPORTED, why);
  }
  void add_op(Desc& d, const char* name) {
    d.finalize(name);
    ops_.push_back(d);
  }  // any other operation
  const Desc& plan() const { return plan_; }
  void execute(cudnnHandle_t handle, const std::vector<int64_t>& uids, const std::vector<void*>& pointers,
               void* workspace) const {
    Desc pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, uids)
        .set_pointers(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, pointers)
        .set_pointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {workspace})
        .finalize("variant pack");
    check(cudnnBackendExecute(handle, plan_.get(), pack.get()), "cudnnBackendExecute");
  }
  int n_offered = 0, n_filtered = 0;

 private:
  void add(Desc& d, const char* name) { add_op(d, name); }
  static std::vector<Desc> heuristics(const Desc& g, cudnnBackendHeurMode_t mode, const Desc& props) {
    Desc h(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    h.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, g).set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
    if (props) h.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, props);
    h.finalize("heuristics");
    int64_t n = 0;
    check(cudnnBackendGetAttribute(h.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0,
                                   &n, nullptr),
          "count");
    std::vector<Desc> cfgs;
    std::vector<cudnnBackendDescriptor_t> raws;
    for (int64_t i = 0; i < n; ++i) {
      cfgs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
      raws.push_back(cfgs.back().get());
    }
    int64_t got = 0;
    if (n)
      check(cudnnBackendGetAttribute(h.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n,
                                     &got, raws.data()),
            "results");
    cfgs.resize(static_cast<size_t>(got));
    return cfgs;
  }
  static PlanInfo describe(const Desc& cfg) {
    PlanInfo i;
    Desc e(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    auto raw = e.get();
    int64_t n = 0;
    check(cudnnBackendGetAttribute(cfg.get(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                   &n, &raw),
          "engine");
    i.engine = e.get_int(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
    for (auto note : e.get_list<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                                             CUDNN_NUMERICAL_NOTE_TYPE_COUNT)) {
      if (note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE) i.tensor_core = true;
      if (note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) i.nondeterministic = true;
      if (note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS) i.down_convert = true;
    }
    for (auto note : e.get_list<cudnnBackendBehaviorNote_t>(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE,
                                                            CUDNN_BEHAVIOR_NOTE_TYPE_COUNT)) {
      if (note == CUDNN_BEHAVIOR_NOTE_SUPPORTS_CUDA_GRAPH_NATIVE_API) i.graph_native = true;
      if (note == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) i.runtime_compiled = true;
    }
    return i;
  }
  cudnnDataType_t io_, compute_;
  int64_t uid_ = 0;
  std::vector<Desc> ops_;
  Desc plan_;
};

}  // namespace dnn
