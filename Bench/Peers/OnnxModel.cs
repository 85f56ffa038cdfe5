using System.Buffers.Binary;
using System.Text;

namespace FlashGen.Bench.Peers;

/// <summary>
/// A model of one node, as ONNX's protobuf (onnx.proto3, field numbers as there). Three kinds of field are all that it takes.
/// </summary>
static class OnnxModel
{
    private const int FloatElements = 1;
    private const int IrVersion = 10;
    private const int Opset = 23;

    /// <summary>A float32 tensor of the model's interface.</summary>
    public sealed record Port(string Name, long[] Shape);

    /// <summary>The model's bytes; attributes are float or integer.</summary>
    public static byte[] Of(
        string op,
        string domain,
        (string Name, object Value)[] attributes,
        Port[] inputs,
        Port[] outputs
    )
    {
        Message node = new();
        foreach (Port input in inputs)
            node.Text(1, input.Name);
        foreach (Port output in outputs)
            node.Text(2, output.Name);
        node.Text(3, "attention").Text(4, op);
        foreach ((string name, object value) in attributes)
            node.Nested(5, Attribute(name, value));
        node.Text(7, domain);

        Message graph = new Message().Nested(1, node).Text(2, "attention");
        foreach (Port input in inputs)
            graph.Nested(11, ValueInfo(input));
        foreach (Port output in outputs)
            graph.Nested(12, ValueInfo(output));

        return new Message()
            .Number(1, IrVersion)
            .Nested(7, graph)
            .Nested(8, new Message().Text(1, "").Number(2, Opset))
            .Nested(8, new Message().Text(1, "com.microsoft").Number(2, 1))
            .ToArray();
    }

    private static Message Attribute(string name, object value) =>
        value is float real
            ? new Message().Text(1, name).Real(2, real).Number(20, 1)
            : new Message().Text(1, name).Number(3, Convert.ToInt64(value)).Number(20, 2);

    private static Message ValueInfo(Port port)
    {
        Message shape = new();
        foreach (long size in port.Shape)
            shape.Nested(1, new Message().Number(1, size));
        Message tensor = new Message().Number(1, FloatElements).Nested(2, shape);
        return new Message().Text(1, port.Name).Nested(2, new Message().Nested(1, tensor));
    }

    /// <summary>A protobuf message under construction.</summary>
    private sealed class Message
    {
        private readonly MemoryStream bytes = new();

        public Message Number(int field, long value)
        {
            Varint((ulong)field << 3);
            Varint((ulong)value);
            return this;
        }

        public Message Real(int field, float value)
        {
            Varint((ulong)field << 3 | 5);
            Span<byte> four = stackalloc byte[4];
            BinaryPrimitives.WriteSingleLittleEndian(four, value);
            bytes.Write(four);
            return this;
        }

        public Message Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

        public Message Nested(int field, Message value) => Bytes(field, value.ToArray());

        public byte[] ToArray() => bytes.ToArray();

        private Message Bytes(int field, byte[] value)
        {
            Varint((ulong)field << 3 | 2);
            Varint((ulong)value.Length);
            bytes.Write(value);
            return this;
        }

        private void Varint(ulong value)
        {
            for (; value > 127; value >>= 7)
                bytes.WriteByte((byte)(value | 128));
            bytes.WriteByte((byte)value);
        }
    }
}
