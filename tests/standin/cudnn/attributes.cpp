#include "tests/standin/cudnn/attributes.h"

#include <algorithm>
#include <map>
#include <string>

#include "tests/standin/cudnn/status.h"

namespace xf::standin::cudnn {
namespace {

using Rules = std::vector<AttributeRule>;
using Types = std::vector<cudnnBackendAttributeType_t>;

constexpr Giver kOptional = Giver::caller_optional, kLibrary = Giver::library;
const Types kInt64{CUDNN_TYPE_INT64}, kInt32{CUDNN_TYPE_INT32}, kDataType{CUDNN_TYPE_DATA_TYPE},
    kBoolean{CUDNN_TYPE_BOOLEAN}, kHandle{CUDNN_TYPE_HANDLE}, kPointer{CUDNN_TYPE_VOID_PTR},
    kReal{CUDNN_TYPE_FLOAT, CUDNN_TYPE_DOUBLE}, kDescriptor{CUDNN_TYPE_BACKEND_DESCRIPTOR},
    kKnob{CUDNN_TYPE_KNOB_TYPE};

const std::map<cudnnBackendDescriptorType_t, Rules>& all_rules() {
  static const std::map<cudnnBackendDescriptorType_t, Rules> rules{
      {CUDNN_BACKEND_TENSOR_DESCRIPTOR,
       {{CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, kInt64},
        {CUDNN_ATTR_TENSOR_DATA_TYPE, kDataType},
        {CUDNN_ATTR_TENSOR_DIMENSIONS, kInt64},
        {CUDNN_ATTR_TENSOR_STRIDES, kInt64},
        {CUDNN_ATTR_TENSOR_UNIQUE_ID, kInt64},
        {CUDNN_ATTR_TENSOR_IS_VIRTUAL, kBoolean, kOptional},
        {CUDNN_ATTR_TENSOR_IS_BY_VALUE, kBoolean, kOptional},
        {CUDNN_ATTR_TENSOR_REORDERING_MODE, {CUDNN_TYPE_TENSOR_REORDERING_MODE}, kOptional}}},
      {CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR,
       {{CUDNN_ATTR_CONVOLUTION_COMP_TYPE, kDataType},
        {CUDNN_ATTR_CONVOLUTION_CONV_MODE, {CUDNN_TYPE_CONVOLUTION_MODE}},
        {CUDNN_ATTR_CONVOLUTION_DILATIONS, kInt64},
        {CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, kInt64},
        {CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, kInt64},
        {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, kInt64},
        {CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, kInt64}}},
      {CUDNN_BACKEND_POINTWISE_DESCRIPTOR,
       {{CUDNN_ATTR_POINTWISE_MODE, {CUDNN_TYPE_POINTWISE_MODE}},
        {CUDNN_ATTR_POINTWISE_MATH_PREC, kDataType},
        {CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, {CUDNN_TYPE_NAN_PROPOGATION}, kOptional},
        {CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, kReal, kOptional},
        {CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, kReal, kOptional},
        {CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, kReal, kOptional},
        {CUDNN_ATTR_POINTWISE_ELU_ALPHA, kReal, kOptional},
        {CUDNN_ATTR_POINTWISE_SOFTPLUS_BETA, kReal, kOptional},
        {CUDNN_ATTR_POINTWISE_SWISH_BETA, kReal, kOptional},
        {CUDNN_ATTR_POINTWISE_AXIS, kInt64, kOptional}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, kReal, kOptional},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, kReal, kOptional},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, kDescriptor},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, kDescriptor},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, kDescriptor},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, kDescriptor}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, kReal, kOptional},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, kReal, kOptional},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, kDescriptor},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, kDescriptor},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, kDescriptor},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, kDescriptor}}},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, kReal, kOptional},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, kReal, kOptional},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, kDescriptor},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, kDescriptor},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, kDescriptor},
        {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, kDescriptor}}},
      {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, kDescriptor},
        {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, kDescriptor},
        {CUDNN_ATTR_OPERATION_POINTWISE_BDESC, kDescriptor, kOptional},
        {CUDNN_ATTR_OPERATION_POINTWISE_YDESC, kDescriptor, kOptional},
        {CUDNN_ATTR_OPERATION_POINTWISE_ALPHA1, kReal, kOptional},
        {CUDNN_ATTR_OPERATION_POINTWISE_ALPHA2, kReal, kOptional},
        {CUDNN_ATTR_OPERATION_POINTWISE_DXDESC, kDescriptor, kOptional},
        {CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, kDescriptor, kOptional}}},
      {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR,
       {{CUDNN_ATTR_OPERATIONGRAPH_HANDLE, kHandle, kOptional},
        {CUDNN_ATTR_OPERATIONGRAPH_OPS, kDescriptor},
        {CUDNN_ATTR_OPERATIONGRAPH_ENGINE_GLOBAL_COUNT, kInt64, kLibrary},
        {CUDNN_ATTR_OPERATIONGRAPH_IS_DYNAMIC_SHAPE_ENABLED, kBoolean, kOptional}}},
      {CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR,
       {{CUDNN_ATTR_ENGINEHEUR_MODE, {CUDNN_TYPE_HEUR_MODE}},
        {CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, kDescriptor},
        {CUDNN_ATTR_ENGINEHEUR_RESULTS, kDescriptor, kLibrary},
        {CUDNN_ATTR_ENGINEHEUR_SM_COUNT_TARGET, kInt32, kOptional}}},
      {CUDNN_BACKEND_ENGINE_DESCRIPTOR,
       {{CUDNN_ATTR_ENGINE_OPERATION_GRAPH, kDescriptor},
        {CUDNN_ATTR_ENGINE_GLOBAL_INDEX, kInt64},
        {CUDNN_ATTR_ENGINE_KNOB_INFO, kDescriptor, kLibrary},
        {CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, {CUDNN_TYPE_NUMERICAL_NOTE}, kLibrary},
        {CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, {CUDNN_TYPE_BEHAVIOR_NOTE}, kLibrary},
        {CUDNN_ATTR_ENGINE_SM_COUNT_TARGET, kInt32, kOptional}}},
      {CUDNN_BACKEND_KNOB_INFO_DESCRIPTOR,
       {{CUDNN_ATTR_KNOB_INFO_TYPE, kKnob, kLibrary},
        {CUDNN_ATTR_KNOB_INFO_MAXIMUM_VALUE, kInt64, kLibrary},
        {CUDNN_ATTR_KNOB_INFO_MINIMUM_VALUE, kInt64, kLibrary},
        {CUDNN_ATTR_KNOB_INFO_STRIDE, kInt64, kLibrary}}},
      {CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR,
       {{CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, kKnob}, {CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, kInt64}}},
      {CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
       {{CUDNN_ATTR_ENGINECFG_ENGINE, kDescriptor},
        {CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, kDescriptor, kOptional},
        {CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE, kInt64, kLibrary},
        {CUDNN_ATTR_ENGINECFG_SHARED_MEMORY_USED, kInt32, kLibrary}}},
      {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR,
       {{CUDNN_ATTR_EXECUTION_PLAN_HANDLE, kHandle, kOptional},
        {CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, kDescriptor, kOptional},
        {CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, kInt64, kLibrary},
        {CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, {CUDNN_TYPE_CHAR}, kOptional}}},
      {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR,
       {{CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, kInt64},
        {CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, kPointer},
        {CUDNN_ATTR_VARIANT_PACK_WORKSPACE, kPointer, kOptional}}},
  };
  return rules;
}

}  // namespace

const std::vector<AttributeRule>& attributes_of(cudnnBackendDescriptorType_t type) {
  const auto it = all_rules().find(type);
  require(it != all_rules().end(), "descriptor type " + std::to_string(type) + " is not emulated",
          CUDNN_STATUS_NOT_SUPPORTED);
  return it->second;
}

const AttributeRule& attribute_rule(cudnnBackendDescriptorType_t type, cudnnBackendAttributeName_t name) {
  const Rules& rules = attributes_of(type);
  const auto it = std::ranges::find(rules, name, &AttributeRule::name);
  require(it != rules.end(),
          "attribute " + std::to_string(name) + " is not one of descriptor type " + std::to_string(type));
  return *it;
}

size_t size_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR: return 1;
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR: return 8;
    case CUDNN_TYPE_FRACTION: return 16;
    default: return 4;  // float, int32 and the enumerations
  }
}

}  // namespace xf::standin::cudnn
